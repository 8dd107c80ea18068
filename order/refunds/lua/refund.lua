--- @include "refunds"
-- refund: grants a refund of some lines of a paid order, or of all that is left of it. One that is contradicted awaits a person first.
-- Of an order that has many, no more than the one of all that is left: what is kept of them, and shown, grows with each.
-- ARGS     log_id, order, versions (separated by blanks, or `any`), lines ('' for all that is left), restock (shelf or none), reason
--          (without blanks, or '')
-- RETURNS  granted, refund, order, user, total, lines, restock, entry, at | unknown | stale, version | nothing | too-much, item, left
--          | prices-unknown, item | too-many, or in passing: not-paid, status | contradicted
function commands.refund(args)
  local order = order_for_refund(args.order)
  if not order or is_anothers(order.user) then
    return { 'unknown' }
  end
  if not is_wanted(args.versions, order.version) then
    return { 'stale', order.version }
  end
  if order.status ~= 'paid' then
    return { 'not-paid', order.status }, true
  end
  if redis.call('SISMEMBER', names.contradictions, args.order) == 1 then
    return { 'contradicted' }, true
  end
  if args.lines ~= '' and redis.call('HLEN', names.refunds .. args.order) >= limits.refunds_max then
    return { 'too-many' }
  end
  local reason = args.reason ~= '' and args.reason or nil
  local refund, why, item, left = grant_refund(args.log_id, order, args.lines, args.restock, reason)
  if refund then
    return {
      'granted', args.log_id, refund.order, refund.user, refund.total, refund.lines, refund.restock, refund.entries, refund.at,
    }
  end
  if why == 'nothing' then
    return { 'nothing' }
  end
  if why == 'contradicted' then
    return { 'contradicted' }, true
  end
  if why == 'too-much' then
    return { 'too-much', item, left }
  end
  return { 'prices-unknown', item }
end
