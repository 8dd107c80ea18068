--- @often
--- @include "paid"
--- @rarely "complete-otherwise"
-- complete: the money was captured, so the order is paid. A saga that this service does not know (its Redis came back older) is
-- adopted, for it was charged and taken, and its client may have been answered so; it is cancelled if the order was paid by
-- another, or is given up, or if it is unknown what is in it, and so is a saga that was answered with a refusal. Of one that is
-- submitted here, it was lost that it was begun: that is emitted again. An amendment is made, unless its order is another one by
-- now; one that is unknown here is adopted if the order is as it was when it was amended. What a client was told is paid before
-- contradicts nothing any more.
-- ARGS     log_id, order, user, total, lines, invoice (these two not in entries of older versions), amends, back, costs (these three of an
--          amendment)
-- RETURNS  paid, decision | adopted, decision | cancelled, decision | repeated
function commands.complete(args)
  local id = args.log_id
  local is_told = args.lines and not args.amends
  local saga = (is_told and told_saga or load_saga)(id, 'checking-out', args)
  if not saga or saga.state ~= 'checking-out' or saga.amends or saga.contradicted then
    return rarely.complete_otherwise(id, saga, args)
  end
  pay_order(id, saga, args.invoice)
  return decision('paid', id, saga)
end
