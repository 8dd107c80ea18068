--- @include "ledger"
-- stays_charged(refunded): a checkout that is not paid, for this service has forgotten that it was, had been refunded in part
-- before the rest was given back. So much stays charged for it, which its refunds take off again, and no order shows that.
local function stays_charged(refunded)
  if refunded then
    post('paid', refunded)
    post('replaced-paid', refunded)
  end
end
