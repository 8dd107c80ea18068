--- @include "checkout"
--- @include "ledger"
-- resolve: ends a contradiction as a person wishes. A refund makes what counts as paid a cancelled checkout: whatever payment
-- and stock still have of it they undo, and the order is open again. What is accepted stays as it is; if it counts as paid
-- although its money is back, and its goods are, the ledger says so, and its order, of which nothing is left to be refunded. What was
-- refunded in part cannot be undone as a whole.
-- ARGS     log_id, by (refund or accept), why (without blanks)
-- RETURNS  resolved, state | repeated, state | consistent, state | replaced | partly-refunded | unknown

-- CHECKOUTS_MAX: the most checkouts of one order that are looked at, the last ones.
local CHECKOUTS_MAX = 100

-- is_contradicted(last): whether a person has still to end a contradiction of this checkout of an order, or of one before it.
local function is_contradicted(last)
  for _ = 1, CHECKOUTS_MAX do
    local by, resolved, previous = unpack(redis.call('HMGET', names.saga .. last, 'contradicted', 'resolved', 'previous'))
    if by and not resolved then
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
  local last = redis.call('HGET', names.order .. saga.order, 'saga')
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
  if not is_contradicted(last or '') then
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
    if last == id then
      redis.call('HSET', names.order .. saga.order, 'undone', 'yes')
    end
  end
  return { 'resolved', saga.state }
end
