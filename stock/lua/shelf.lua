--- @include "saga"
-- An item is a hash: `stock`, how many are there, and `price`. There are no reservations: goods are taken when the money
-- for them is held, all lines of a checkout or none, by one decrement on committed numbers.

-- each_line(lines): iterates over item and quantity of `item:quantity,item:quantity`.
local function each_line(lines)
  return string.gmatch(lines, '([^:,]+):(%d+)')
end
