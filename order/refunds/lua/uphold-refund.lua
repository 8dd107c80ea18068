--- @include "rebuild"
-- uphold-refund: this Redis came back without a refund that a client was told is granted. It is granted once more, under its own
-- log id, so that payment pays it once, whether or not it did. Of an order that is not paid here (any more) it cannot be, unless
-- payment says that it has paid it. One of an amendment that cannot be made of its order as it is can perhaps once payment's log
-- is applied: an amendment before it may be forgotten, too.
-- ARGS     log_id, order, user, total, lines, restock, amends (if it is of an amendment), costs (what the lines of its order
--          cost then, if that is known), early (if payment's log is not applied)
-- RETURNS  kept | granted | lost | contradicted, saga, by, order | early
commands['uphold-refund'] = function(args)
  local id = args.log_id
  if is_recorded(id) or recalled_refund(args.order, id) then
    return { 'kept' }
  end
  local order = order_for_refund(args.order)
  if not order or not is_paid(order) then
    return { 'lost' }
  end
  local refund = {
    order = args.order, user = args.user, total = args.total, lines = args.lines, restock = args.restock,
    amends = args.amends, costs = args.costs,
  }
  if args.early and args.amends then
    return { amend_again(id, refund, order) and 'granted' or 'early' }
  end
  if rebuild(id, refund) then
    return { 'granted' }
  end
  return contradict_refund(refund)
end
