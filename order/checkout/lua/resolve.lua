--- @include "contradiction"
--- @include "ledger"
--- @include "undone"
-- resolve: ends a contradiction as a person wishes. A refund makes what counts as paid a cancelled checkout, and what a client was told is
-- paid, if it is under way again: whatever payment and stock still have of it they undo, and the order is open again. What is accepted
-- stays as it is; if it counts as paid although its money is back, and its goods are, the ledger says so, and its order, of which nothing
-- is left to be refunded. What was refunded in part cannot be undone as a whole, nor can what was amended since, or an amendment.
-- ARGS     log_id, by (refund or accept), why (without blanks)
-- RETURNS  resolved, state | repeated, state | consistent, state | replaced | partly-refunded | amended | unknown

function commands.resolve(args)
  local id = args.log_id
  local saga = load_saga(id)
  if not saga then
    return { 'unknown' }
  end
  local contradicted, resolved, back_before = unpack(redis.call('HMGET', names.saga .. id, 'contradicted', 'resolved',
    'back_before'))
  local last, amendments = unpack(redis.call('HMGET', names.order .. saga.order, 'saga', 'amendments'))
  local has_unshown = redis.call('EXISTS', names.unshown .. saga.order) == 1
  -- An older version has listed the order only; and so is one of which no checkout was known when it was refunded.
  local is_listed = redis.call('SISMEMBER', names.contradictions, saga.order) == 1
  if not contradicted and last == id and is_listed and not has_contradicted(saga.order) then
    contradicted = has_unshown and TOLD_REFUNDED or 'listed'
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
  local is_in_part = has_unshown or redis.call('HEXISTS', names.order .. saga.order, 'refunded') == 1
    or contradicted == TOLD_REFUNDED
  if paid and refund and is_in_part then
    return { 'partly-refunded' }
  end
  resolve_contradiction(id, saga, args.by, args.why)
  if paid and refund then
    post('paid', minus(saga.total))
    post_lines('sold', -1, saga.lines)
    cancel_checkout(id, saga, 'operator')
    return { 'resolved', saga.state }
  end
  if refund and contradicted == TOLD_PAID and states[saga.state] == 'due' then
    cancel_checkout(id, saga, 'operator')
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
