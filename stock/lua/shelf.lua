--- @include "saga"
-- An item is a hash: `stock`, how many are there, and `price`. There are no reservations: goods are taken when the money
-- for them is held, all lines of a checkout or none, by one decrement on committed numbers.

-- each_line(lines): iterates over item and quantity of `item:quantity,item:quantity`.
local function each_line(lines)
  return string.gmatch(lines, '([^:,]+):(%d+)')
end

-- checkout(id): the record of a saga here, or nil.
local function checkout(id)
  local found = redis.call('HMGET', names.saga .. id, 'state', 'order', 'lines', 'item', 'entries', 'user', 'total', 'again')
  if not found[1] then
    return packed_saga(id)
  end
  return {
    state = found[1], order = found[2], lines = found[3], item = found[4], entries = found[5],
    user = found[6] ~= '' and found[6] or nil, total = found[7] or nil, again = found[8],
  }
end

-- saying(saga): what is said of a saga in its state. Whose money goods were taken for is said for payment, which may have
-- lost it.
local function saying(saga)
  local facts = 'order=' .. saga.order
  if saga.state == 'refused' then
    return facts .. ' item=' .. saga.item
  elseif saga.state == 'taken' and saga.user then
    return facts .. ' user=' .. saga.user .. ' total=' .. saga.total .. ' lines=' .. saga.lines
  end
  return facts .. ' lines=' .. saga.lines
end

-- answer(id, saga, state): records what is decided of a saga and says it.
local function answer(id, saga, state)
  saga.state = state
  local entries = tell(id, says[state], saying(saga), saga.entries)
  if not saga.again and pack_up(id, state, entries, not saga.entries) then
    return
  end
  redis.call('HSET', names.saga .. id, 'state', state, 'entries', entries, 'order', saga.order, 'user', saga.user or '',
    'total', saga.total or '', 'lines', saga.lines or '', 'item', saga.item or '')
  finish(id)
end

-- answer_again(id, saga): the recorded answer once more.
local function answer_again(id, saga)
  tell_again(id, says[saga.state], saying(saga))
end
