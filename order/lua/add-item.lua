--- @include "single"
-- add-item: adds a quantity of an item to an open order, at its price now. An item has one line, however often it is added.
-- ARGS     log_id, order, item, quantity, price
-- RETURNS  added, price | unknown | too-much | full | closed, status (in passing, unless it is paid)
commands['add-item'] = function(args)
  local key = names.order .. args.order
  local order = redis.call('HMGET', key, 'status', 'total', 'lines')
  local status, total, lines = unpack(order)
  if not status then
    return { 'unknown' }
  end
  if status ~= 'open' then
    return { 'closed', status }, status ~= 'paid'
  end
  local quantity = tonumber(args.quantity)
  local cost = quantity * tonumber(args.price)
  local kept, count = {}, 0
  for item, number in string.gmatch(lines, '([^:,]+):(%d+)') do
    if item == args.item then
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
  kept[count + 1] = args.item .. ':' .. integer(quantity)
  emit_single('LineAdded', args.log_id,
    { 'order', args.order, 'item', args.item, 'quantity', args.quantity, 'price', args.price })
  redis.call('HINCRBY', key, 'total', integer(cost))
  redis.call('HSET', key, 'lines', table.concat(kept, ','))
  return { 'added', args.price }
end
