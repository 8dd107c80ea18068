--- @include "order"
-- is_abandoned(key, since_ms): whether an order is open, and was not touched since. Of an older version it is unknown when it was made, so
-- that it stays open.
local function is_abandoned(key, since_ms)
  local status, at, updated, version = unpack(redis.call('HMGET', key, 'status', 'at', 'updated', 'version'))
  local known = updated or at
  if status ~= 'open' or not known then
    return false
  end
  return math.max(tonumber(known), tonumber(version or '1')) < since_ms
end
