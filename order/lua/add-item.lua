--- @include "single"
-- add-item: adds a quantity of an item to an open order, at its price now. An item has one line, however often it is added.
-- FACTS    log_id, order, item, quantity, price
-- RETURNS  added, price | unknown | too-much | full | closed, status (in passing, unless it is paid)
commands['add-item'] = function(facts)
  local key = names.order .. facts.order
  local order = redis.call('HMGET', key, 'status', 'total', 'lines')
  local status, total, lines = unpack(order)
  if not status then
    return { 'unknown' }
  end
  if status ~= 'open' then
    return { 'closed', status }, status ~= 'paid'
  end
  local quantity = tonumber(facts.quantity)
  local cost = quantity * tonumber(facts.price)
  local kept, count = {}, 0
  for item, number in string.gmatch(lines, '([^:,]+):(%d+)') do
    if item == facts.item then
      quantity = quantity + tonumber(number)
    else
      count = count + 1
      kept[count] = item .. ':' .. number
    end
  end
  if cost + tonumber(total) > limits.amount_max or quantity > limits.amount_max then
    return { 'too-much' }
  end
  if count >= limits.lines_max then
    return { 'full' }
  end
  kept[count + 1] = facts.item .. ':' .. integer(quantity)
  record('LineAdded', facts.log_id,
    { 'order', facts.order, 'item', facts.item, 'quantity', facts.quantity, 'price', facts.price })
  redis.call('HINCRBY', key, 'total', integer(cost))
  redis.call('HSET', key, 'lines', table.concat(kept, ','))
  return { 'added', facts.price }
end
