--- @include "single"
-- create-user: opens an empty wallet.
-- ARGS     log_id, user
-- RETURNS  created, user, log_id
commands['create-user'] = function(args)
  emit_single('UserCreated', args.log_id, { 'user', args.user })
  redis.call('HSET', names.user .. args.user, 'credit', '0', 'held', '0')
  return { 'created', args.user, args.log_id }
end
