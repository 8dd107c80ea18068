--- @include "checkout"
-- close-when-undone: one neighbour has undone a cancelled checkout; when both have, the order is open again.
-- FACTS    log_id
-- RETURNS  closed | undone | repeated | unknown
local function close_when_undone(neighbour, facts)
  local id = facts.log_id
  local saga = checkout(id)
  if not saga then
    return { 'unknown' }
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
