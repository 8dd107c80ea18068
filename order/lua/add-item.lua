--- @include "single"
--- @include "order"
--- @include "drafted"
-- add-item: adds a quantity of an item to an open order, at its price now. An item has one line, however often it is added.
-- What a line cost before is unknown if an older version has added it; so is then what it costs in all.
-- The invoice of an order that was placed whole is drafted anew. An order that says how it is to be paid must stay within the limits of
-- that, which the caller knows.
-- ARGS     log_id, order, item, quantity, price, min, max (what the order may cost then, if the caller knows how it is to be paid)
-- RETURNS  added, price | unknown | too-much | full | closed, status (in passing, unless it is paid)
--          | beyond, method, installments, total, or in passing: bounded, method, installments
commands['add-item'] = function(args)
  local key = names.order .. args.order
  local order = redis.call('HMGET', key, 'user', 'status', 'total', 'lines', 'costs', 'version', 'billed', 'method', 'installments')
  local user, status, total, lines, costs, version, billed, method, installments = unpack(order)
  if not user or is_anothers(user) then
    return { 'unknown' }
  end
  if status ~= 'open' then
    return { 'closed', status }, status ~= 'paid'
  end
  local others, before = apart(lines, args.item)
  local quantity = (before or 0) + tonumber(args.quantity)
  local cost = tonumber(args.quantity) * tonumber(args.price)
  if cost + tonumber(total) > limits.amount_max or quantity > limits.amount_max then
    return { 'too-much' }
  end
  if #others >= limits.lines_max then
    return { 'full' }
  end
  if method and not args.max then
    return { 'bounded', method, installments }, true
  end
  local sum = cost + tonumber(total)
  if method and (sum < tonumber(args.min) or sum > tonumber(args.max)) then
    return { 'beyond', method, installments, integer(sum) }
  end
  others[#others + 1] = args.item .. ':' .. integer(quantity)
  local known, cost_before = apart(costs or '', args.item)
  if cost_before or not before then
    known[#known + 1] = args.item .. ':' .. integer((cost_before or 0) + cost)
  end
  emit_single('LineAdded', args.log_id,
    { 'order', args.order, 'item', args.item, 'quantity', args.quantity, 'price', args.price })
  version = later_version(version)
  redis.call('HINCRBY', key, 'total', integer(cost))
  redis.call('HSET', key, 'lines', table.concat(others, ','), 'costs', table.concat(known, ','), 'version', version)
  if billed then
    request_draft(args.log_id, args.order, version)
  end
  return { 'added', args.price }
end
