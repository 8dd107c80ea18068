--- @include "abandoned"
--- @include "single"
-- expire-order: ends an order that is open and was not touched since a moment.
-- ARGS     log_id, order, since_ms
-- RETURNS  expired | kept
commands['expire-order'] = function(args)
  local key = names.order .. args.order
  local user, version = unpack(redis.call('HMGET', key, 'user', 'version'))
  if not is_abandoned(key, tonumber(args.since_ms)) then
    return { 'kept' }
  end
  redis.call('HSET', key, 'status', 'expired', 'version', later_version(version))
  emit_single('OrderExpired', args.log_id, { 'order', args.order, 'user', user })
  return { 'expired' }
end
