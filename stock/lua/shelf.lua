--- @include "saga"
-- An item is a hash: `stock`, how many are there, and `price`. There are no reservations: goods are taken when the money
-- for them is held, all lines of a checkout or none, by one decrement on committed numbers.

-- each_line(lines): iterates over item and quantity of `item:quantity,item:quantity`.
local function each_line(lines)
  return string.gmatch(lines, '([^:,]+):(%d+)')
end

-- checkout(id): the record of a saga here, or nil.
local function checkout(id)
  local found = redis.call('HMGET', names.saga .. id, 'state', 'order', 'lines', 'item', 'entries')
  if not found[1] then
    return nil
  end
  return { state = found[1], order = found[2], lines = found[3], item = found[4], entries = found[5] }
end

-- answer(id, saga, state): records what was decided of a saga and says it; said again it is the same answer.
local function answer(id, saga, state)
  local facts = { 'order', saga.order, 'lines', saga.lines }
  if state == 'refused' then
    facts = { 'order', saga.order, 'item', saga.item }
  end
  local entries = tell(id, says[state], facts, saga.entries)
  redis.call('HSET', names.saga .. id, 'state', state, 'order', saga.order, 'lines', saga.lines, 'item', saga.item or '',
    'entries', entries)
  redis.call('EXPIRE', names.saga .. id, limits.retention_s)
end
