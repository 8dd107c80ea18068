--- @include "checkout"
-- close_when_undone(neighbour, facts): one neighbour has undone a cancelled checkout; when both have, the order is open
-- again. What was paid is undone only if this service has lost that it cancelled it, and paid it since: a contradiction.
-- It is the whole of the deeds payment-undone and stock-undone.
local function close_when_undone(neighbour, facts)
  local id = facts.log_id
  local saga = checkout(id)
  if not saga then
    return { 'unknown' }
  end
  if saga.state == 'paid' then
    return contradict(id, saga)
  end
  if saga.state ~= 'cancelling' then
    return { 'repeated' }
  end
  redis.call('HSET', names.saga .. id, 'undone:' .. neighbour, '1')
  local undone = redis.call('HMGET', names.saga .. id, 'undone:payment', 'undone:stock')
  if not (undone[1] and undone[2]) then
    return { 'undone' }
  end
  saga.state = 'closed'
  order_status(id, saga, 'open')
  speak(id, saga)
  return { 'closed' }
end
