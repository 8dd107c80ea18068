--- @include "checkout"
--- @include "ledger"
-- pay_order(id, saga, invoice): the checkout has ended well, or the amendment. What was refunded of it is shown, if that was known before.
local function pay_order(id, saga, invoice)
  saga.invoice = invoice
  local unshown = saga.amends
  if not saga.amends then
    unshown = select(2, order_status(id, saga, 'paid', invoice))
  end
  post('paid', saga.total)
  post_lines('sold', 1, saga.lines)
  emit_saga(id, saga, 'paid')
  if saga.amends then
    rarely.amend_paid(id, saga)
  end
  if unshown then
    rarely.show_refunds(saga.order)
  end
  announce(id, saga)
end
