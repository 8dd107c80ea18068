--- @include "offer"
-- show-offer: on what terms an item is sold.
-- ABOUT    the item
-- RETURNS  price, withdrawn and version, with a blank between them; nothing if there is no such item
-- WRITES   nothing
queries['show-offer'] = function(item)
  local price, withdrawn, version = offer(item)
  return price and (price .. ' ' .. withdrawn .. ' ' .. version) or false
end
