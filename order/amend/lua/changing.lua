--- @include "order"
-- leave_changing(id, saga): an amendment is not to be, so that its order is paid as it was. What that amendment was made of is undone
-- by itself, so nothing has to wait for it. One that was refused, and is to be undone all the same, is shown so from now on.
function rarely.leave_changing(id, saga)
  local key = names.order .. saga.order
  local status, amendment, version = unpack(redis.call('HMGET', key, 'status', 'amendment', 'version'))
  if amendment == id and (status == 'changing' or saga.state == 'failed') then
    redis.call('HSET', key, 'status', status == 'changing' and 'paid' or status, 'version', later_version(version))
  end
end

-- has_amended(order, id): whether it shows that this amendment was made, also if its record has ended since.
local function has_amended(order, id)
  local amended = redis.call('HGET', names.order .. order, 'amended') or ''
  return string.find(',' .. amended .. ',', ',' .. id .. ',', 1, true) ~= nil
end
