--- @include "single"
-- create-user: opens an empty wallet, unless the user has one.
-- ARGS     log_id, user
-- RETURNS  created, user, log_id | exists, user
commands['create-user'] = function(args)
  if redis.call('EXISTS', names.user .. args.user) == 1 then
    return { 'exists', args.user }
  end
  emit_single('UserCreated', args.log_id, { 'user', args.user })
  redis.call('HSET', names.user .. args.user, 'credit', '0', 'held', '0')
  return { 'created', args.user, args.log_id }
end
