--- @include "single"
--- @include "books"
-- add: puts goods on the shelf.
-- FACTS    log_id, item, amount
-- RETURNS  added | unknown | too-much
function commands.add(facts)
  local stock = redis.call('HGET', names.item .. facts.item, 'stock')
  if not stock then
    return { 'unknown' }
  end
  if tonumber(stock) + tonumber(facts.amount) > limits.amount_max then
    return { 'too-much' }
  end
  record('StockAdded', facts.log_id, { 'item', facts.item, 'amount', facts.amount })
  redis.call('HINCRBY', names.item .. facts.item, 'stock', facts.amount)
  book('added', facts.amount)
  return { 'added' }
end
