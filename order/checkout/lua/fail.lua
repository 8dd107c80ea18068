--- @include "checkout"
--- @include "contradiction"
--- @include "customers"
--- @include "drafted"
--- @include "stays-charged"
-- fail: money or goods were refused, so the order is open again; also if this service has lost that it has begun what was submitted.
-- A refusal of what was paid is the one contradiction that no rule can mend (a peer lost what it did, and cannot do it again): the
-- order is listed by name.
-- ARGS     log_id, reason, item, note (of what was captured), refunded (how much of it was refunded before)
-- RETURNS  failed, decision | contradicted, saga, by, order | repeated | unknown
function commands.fail(args)
  local id = args.log_id
  local saga = load_saga(id)
  if not saga then
    return { 'unknown' }
  end
  if saga.state == 'paid' then
    return contradict(id, saga, args.reason, args.note, args.refunded)
  end
  if saga.state ~= 'checking-out' and saga.state ~= 'submitted' then
    return { 'repeated' }
  end
  leave_submitted(id, saga)
  saga.reason = args.reason
  saga.item = args.item or ''
  if args.reason == 'no-such-user' then
    forget_customer(saga.user)
  end
  order_status(id, saga, 'open', nil, args.note)
  emit_saga(id, saga, 'failed')
  stays_charged(args.refunded)
  request_missing_draft(id, saga.order)
  announce(id, saga)
  return decision('failed', id, saga)
end
