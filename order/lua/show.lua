--- @include "shown"
-- show: an order with all that is known of it.
-- ABOUT    the order
-- RETURNS  what `shown` does
-- WRITES   nothing
function queries.show(order)
  return shown(order)
end
