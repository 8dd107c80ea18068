--- @include "close"
-- stock-undone: stock has undone a cancelled checkout. See close-when-undone.
deeds['stock-undone'] = function(facts)
  return close_when_undone('stock', facts)
end
