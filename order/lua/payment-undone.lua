--- @include "close"
-- payment-undone: payment has undone a cancelled checkout; when both neighbours have, the order is open again.
-- FACTS    log_id
-- RETURNS  closed | undone | contradicted | repeated | unknown
deeds['payment-undone'] = function(facts)
  return close_when_undone('payment', facts)
end
