--- @include "abandoned"
-- find-abandoned: which orders are abandoned, among the next few keys of this Redis: it walks them all, round and round.
-- ARGS     age_ms (for how long an order is not touched that is abandoned), keys (about how many are looked at)
-- RETURNS  the moment since which they were not touched, and each of them
commands['find-abandoned'] = function(args)
  local since_ms = now_ms() - tonumber(args.age_ms)
  local cursor = redis.call('GET', names.expiry) or '0'
  local next, keys = unpack(redis.call('SCAN', cursor, 'MATCH', names.order .. '*', 'COUNT', args.keys))
  redis.call('SET', names.expiry, next)
  local found = { integer(since_ms) }
  for _, key in ipairs(keys) do
    if is_abandoned(key, since_ms) then
      found[#found + 1] = string.sub(key, #names.order + 1)
    end
  end
  return found
end
