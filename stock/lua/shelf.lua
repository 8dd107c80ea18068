--- @include "saga"
-- An item is a hash: `stock`, how many are there, and `price`. There are no reservations: goods are taken when the money
-- for them is held, all lines of a checkout or none, by one decrement on committed numbers.

-- each_line(lines): iterates over item and quantity of `item:quantity,item:quantity`.
local function each_line(lines)
  return string.gmatch(lines, '([^:,]+):(%d+)')
end

-- checkout(id): the record of a saga here, or nil.
local function checkout(id)
  local found = redis.call('HMGET', names.saga .. id, 'state', 'order', 'lines', 'item', 'entries', 'user', 'total')
  if not found[1] then
    return nil
  end
  return {
    state = found[1], order = found[2], lines = found[3], item = found[4], entries = found[5],
    user = found[6] ~= '' and found[6] or nil, total = found[7] or nil,
  }
end

-- answer(id, saga, state): records what was decided of a saga and says it; said again it is the same answer. Whose money
-- goods were taken for is said for payment, which may have lost it.
local function answer(id, saga, state)
  local facts = 'order=' .. saga.order
  if state == 'refused' then
    facts = facts .. ' item=' .. saga.item
  elseif state == 'taken' and saga.user then
    facts = facts .. ' user=' .. saga.user .. ' total=' .. saga.total .. ' lines=' .. saga.lines
  else
    facts = facts .. ' lines=' .. saga.lines
  end
  local entries = tell(id, says[state], facts, saga.entries)
  local key = names.saga .. id
  if saga.entries then
    redis.call('HSET', key, 'state', state, 'entries', entries)
  else
    redis.call('HSET', key, 'state', state, 'entries', entries, 'order', saga.order, 'user', saga.user or '',
      'total', saga.total or '', 'lines', saga.lines, 'item', saga.item or '')
  end
  redis.call('EXPIRE', key, limits.retention_s)
end
