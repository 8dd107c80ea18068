--- @include "checkout"
-- submit_checkout(id, order, deadline): has the checkout of an open order wait until it is begun. `order` is what is recorded of it, by
-- name, with its id as `order`.
local function submit_checkout(id, order, deadline)
  local saga = {
    order = order.order, user = order.user, total = order.total, lines = order.lines, deadline = deadline,
    previous = order.saga or '',
  }
  redis.call('HSET', names.order .. order.order, 'status', 'submitted', 'saga', id,
    'version', later_version(order.version))
  redis.call('ZADD', names.submitted, now_ms(), id)
  emit_saga(id, saga, 'submitted')
end

-- can_submit(most): whether there is room for one more that waits.
local function can_submit(most)
  return redis.call('ZCARD', names.submitted) < tonumber(most)
end
