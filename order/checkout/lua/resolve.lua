--- @include "checkout"
--- @include "ledger"
-- resolve: ends a contradiction as a person wishes. A refund makes what counts as paid a cancelled checkout: whatever payment
-- and stock still have of it they undo, and the order is open again. What is accepted stays as it is; if it counts as paid
-- although its money is back, and its goods are, the ledger says so, and its order, of which nothing is left to be refunded. What was
-- refunded in part cannot be undone as a whole, nor can what was amended since, or an amendment.
-- ARGS     log_id, by (refund or accept), why (without blanks)
-- RETURNS  resolved, state | repeated, state | consistent, state | replaced | partly-refunded | amended | unknown

-- CHECKOUTS_MAX: the most checkouts of one order that are looked at, the last ones.
local CHECKOUTS_MAX = 100

-- is_open(id): whether a person has still to end a contradiction of this checkout; and the one before it.
local function is_open(id)
  local by, resolved, previous = unpack(redis.call('HMGET', names.saga .. id, 'contradicted', 'resolved', 'previous'))
  return by and not resolved, previous
end

-- is_contradicted(last, amended): the same of this checkout of an order, of one before it, or of one of its amendments.
local function is_contradicted(last, amended)
  for id in string.gmatch(amended, '[^,]+') do
    if is_open(id) then
      return true
    end
  end
  for _ = 1, CHECKOUTS_MAX do
    local open, previous = is_open(last)
    if open then
      return true
    end
    if not previous or previous == '' then
      return false
    end
    last = previous
  end
  return false
end

function commands.resolve(args)
  local id = args.log_id
  local saga = load_saga(id)
  if not saga then
    return { 'unknown' }
  end
  local key = names.saga .. id
  local contradicted, resolved, back_before = unpack(redis.call('HMGET', key, 'contradicted', 'resolved', 'back_before'))
  local last, amended = unpack(redis.call('HMGET', names.order .. saga.order, 'saga', 'amended'))
  local amendments = redis.call('HGET', names.order .. saga.order, 'amendments')
  -- An older version has listed the order only.
  if not contradicted and last == id and redis.call('SISMEMBER', names.contradictions, saga.order) == 1 then
    contradicted = 'listed'
  end
  if resolved == args.by then
    return { 'repeated', saga.state }
  end
  if not contradicted or resolved then
    return { 'consistent', saga.state }
  end
  local paid, refund = saga.state == 'paid', args.by == 'refund'
  if paid and refund and (saga.amends or (amendments and last == id)) then
    return { 'amended' }
  end
  if paid and refund and last ~= id then
    return { 'replaced' }
  end
  local is_in_part = redis.call('HEXISTS', names.order .. saga.order, 'refunded') == 1 or contradicted == 'told-refunded'
  if paid and refund and is_in_part then
    return { 'partly-refunded' }
  end
  saga.by, saga.why = args.by, args.why
  emit(id, saga, 'resolved')
  store_saga(id, saga)
  redis.call('HSET', key, 'resolved', args.by)
  if not is_contradicted(last or '', amended or '') then
    redis.call('SREM', names.contradictions, saga.order)
  end
  if paid and refund then
    post('paid', minus(saga.total))
    post_lines('sold', -1, saga.lines)
    cancel_checkout(id, saga, 'operator')
    return { 'resolved', saga.state }
  end
  if paid and is_undone(contradicted) then
    post('accepted-paid', integer(tonumber(saga.total) - tonumber(back_before or '0')))
    post_lines('accepted-sold', 1, saga.lines)
    if last == id or saga.amends then
      redis.call('HSET', names.order .. saga.order, 'undone', 'yes')
    end
  end
  return { 'resolved', saga.state }
end
