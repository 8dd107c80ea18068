--- @include "close"
-- stock-undone: stock has undone a cancelled checkout; when both neighbours have, the order is open again.
-- FACTS    log_id
-- RETURNS  closed | undone | contradicted | repeated | unknown
deeds['stock-undone'] = function(facts)
  return close_when_undone('stock', facts)
end
