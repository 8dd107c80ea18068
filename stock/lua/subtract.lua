--- @include "single"
--- @include "books"
-- subtract: takes goods off the shelf outside any checkout.
-- FACTS    log_id, item, amount
-- RETURNS  subtracted | out-of-stock | unknown
function commands.subtract(facts)
  local stock = redis.call('HGET', names.item .. facts.item, 'stock')
  if not stock then
    return { 'unknown' }
  end
  if tonumber(stock) < tonumber(facts.amount) then
    return { 'out-of-stock' }
  end
  record('StockSubtracted', facts.log_id, { 'item', facts.item, 'amount', facts.amount })
  redis.call('HINCRBY', names.item .. facts.item, 'stock', minus(facts.amount))
  book('added', minus(facts.amount))
  return { 'subtracted' }
end
