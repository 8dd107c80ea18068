--- @include "log"
-- The orders of which this script issues the invoice, by their ids: their drafts are ended all at once, so that it costs a capture next
-- to nothing.
local issued = {}
gathered[#gathered + 1] = function()
  local orders = {}
  for order in pairs(issued) do
    orders[#orders + 1] = order
  end
  if #orders > 0 then
    redis.call('HDEL', names.drafts, unpack(orders))
  end
end

-- end_draft(order): its invoice is issued.
local function end_draft(order)
  issued[order] = true
end
