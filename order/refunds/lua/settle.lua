--- @include "rebuild"
-- settle: payment has paid a refund. One that this service does not know (its Redis came back older) was granted, and its client may
-- have been answered so: it is granted and settled as it was. If its order was refunded otherwise since, that is a contradiction.
-- ARGS     log_id, order, user, total, lines, restock, note (if there is a document), amends, costs (these two of an amendment), checkouts
--          (of its order, if order had named them)
-- RETURNS  settled, refund | rebuilt, refund | contradicted, saga, by, order | repeated

-- announce_settled(id): wakes the request that waits for this refund, in whichever replica it waits.
local subscribers_of_refunds
local function announce_settled(id)
  subscribers_of_refunds = subscribers_of_refunds or redis.call('PUBSUB', 'NUMSUB', names.settlements)[2]
  if subscribers_of_refunds > 1 then
    redis.call('PUBLISH', names.settlements, id)
  end
end

-- settle_refund(id, refund, note): payment has paid it.
local function settle_refund(id, refund, note)
  refund.note = note
  emit_saga(id, refund, 'settled')
  local recalled = recalled_refund(refund.order, id)
  if recalled and recalled.at then
    recalled.state, recalled.note = 'settled', note or recalled.note
    remember_refund(id, recalled)
    credit(id, refund)
  end
  announce_settled(id)
end

-- renumber_note(id, refund, note): it was paid again, for payment has lost the credit note that it had issued.
local function renumber_note(id, refund, note)
  local before = refund.note
  if refund.state ~= 'settled' or not note or before == note then
    return
  end
  refund.note = note
  emit_again(id, refund)
  local recalled = recalled_refund(refund.order, id)
  if recalled and recalled.at then
    recalled.note = note
    recalled.replaced = recalled.replaced and before and recalled.replaced .. ',' .. before or before or recalled.replaced
    remember_refund(id, recalled)
    credit_refund(refund.order, note, refund.total, before)
  end
end

function commands.settle(args)
  local id = args.log_id
  local refund = load_saga(id)
  if refund and refund.state == 'granted' then
    settle_refund(id, refund, args.note)
    return { 'settled', id }
  end
  if refund then
    renumber_note(id, refund, args.note)
    return { 'repeated' }
  end
  if recalled_refund(args.order, id) then
    return { 'repeated' }
  end
  refund = {
    order = args.order, user = args.user, total = args.total, lines = args.lines, restock = args.restock,
    amends = args.amends, costs = args.costs, checkouts = args.checkouts,
  }
  local is_shown = rebuild(id, refund)
  settle_refund(id, refund, args.note)
  if is_shown then
    return { 'rebuilt', id }
  end
  return contradict_refund(refund)
end
