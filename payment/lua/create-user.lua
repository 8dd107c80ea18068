--- @include "single"
-- create-user: opens an empty wallet.
-- FACTS    log_id, user
-- RETURNS  created, user, log_id
commands['create-user'] = function(facts)
  record('UserCreated', facts.log_id, { 'user', facts.user })
  redis.call('HSET', names.user .. facts.user, 'credit', '0', 'held', '0')
  return { 'created', facts.user, facts.log_id }
end
