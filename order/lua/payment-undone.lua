--- @include "close"
-- payment-undone: payment has undone a cancelled checkout. See close-when-undone.
deeds['payment-undone'] = function(facts)
  return close_when_undone('payment', facts)
end
