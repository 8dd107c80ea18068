--- @include "pay-back"
--- @include "wallet"
-- refund: pays a refund, once: the money goes back into its user's wallet, and a credit note is issued, unless
-- no money goes back for an amendment. Order has granted it, so that nothing can be refused. Where
-- there is no such wallet, or no room in it, nothing is done: the entry is a dead letter until there is.
-- ARGS     log_id, order, user, total, lines, restock, invoice (that it takes back, if order knows it, or several),
--          amends, costs (these two of an amendment), checkouts (of its order, the last one first; not in entries of older versions)
-- RETURNS  refunded | repeated
function commands.refund(args)
  local id = args.log_id
  local known = load_saga(id)
  if known then
    return repeated(id, known)
  end
  local saga = {
    order = args.order, user = args.user, total = args.total, lines = args.lines, restock = args.restock,
    invoice = args.invoice, amends = args.amends, costs = args.costs,
    checkouts = args.checkouts or checkouts_of(args.invoice),
  }
  if not wallet(saga.user) then
    error('there is no user ' .. saga.user, 0)
  end
  pay_back(id, saga, saga.total, saga.lines)
  saga.unpaid = remember_refunded(id, saga.checkouts, saga.total)
  emit_saga(id, saga, 'refunded')
  serve(saga.user)
  return { 'refunded' }
end
