--- @include "contradiction"
--- @include "documents"
--- @include "drafted"
--- @include "stays-charged"
--- @include "undone"
-- close: payment has undone a cancelled checkout, so the order is open again, or cancelled if it was given up. The goods may still be
-- on their way back, but stock learns of that from payment's log too, before anything that payment emits of the order's next checkout.
-- What was paid is undone only if this service has lost that it cancelled it, and paid it since: a contradiction. What is submitted here
-- was begun and cancelled, which this service has lost: it is cancelled now. Where money was captured, the draft of the invoice went with
-- it: also that of a checkout which is closed here, for a payment that came back older may capture first what it had only held before.
-- ARGS     log_id, note (of what was captured), refunded (how much of it was refunded before)
-- RETURNS  closed, order (if it is cancelled thereby) | contradicted, saga, by, order | requested (another draft, if its order is
--          open) | repeated | unknown

-- credit_draft(id, saga, note): what was captured is given back, by this credit note, so that another draft is to be made, once.
local function credit_draft(id, saga, note)
  redis.call('HSET', names.saga .. id, 'credited', note)
  drop_void_draft(saga.order)
  forget_draft(saga.order)
  request_missing_draft(id, saga.order)
end

function commands.close(args)
  local id = args.log_id
  local saga = load_saga(id)
  if not saga then
    return { 'unknown' }
  end
  if saga.state == 'paid' then
    return contradict(id, saga, 'released', args.note, args.refunded)
  end
  if saga.state == 'submitted' then
    cancel_checkout(id, saga, 'deadline')
  end
  -- What was refunded before as a whole is in no credit note of its own.
  local credited = args.note or (args.refunded and 'refunded')
  if saga.state == 'closed' and credited and credited ~= saga.credited then
    credit_draft(id, saga, credited)
    return { 'requested' }
  end
  if saga.state ~= 'cancelling' then
    return { 'repeated' }
  end
  local cancelled = order_status(id, saga, 'open', nil, args.note)
  credit_order(id, saga, args.note, args.refunded)
  emit_saga(id, saga, 'closed')
  stays_charged(args.refunded)
  if args.refunded then
    redis.call('HSET', names.saga .. id, 'back_before', args.refunded)
  end
  if credited then
    credit_draft(id, saga, credited)
  else
    request_missing_draft(id, saga.order)
  end
  return { 'closed', cancelled }
end
