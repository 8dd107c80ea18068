--- @include "single"
--- @include "books"
-- init-items: makes the items `first` to `last` anew, each with the same stock and price.
-- FACTS    log_id, first, last, stock, price
-- RETURNS  initialised
commands['init-items'] = function(facts)
  local first, last = tonumber(facts.first), tonumber(facts.last)
  local replaced = 0
  local added = {}
  for item = first, last do
    local stock = tonumber(redis.call('HGET', names.item .. item, 'stock') or '0')
    added[#added + 1] = tonumber(facts.stock) - stock
    replaced = replaced + stock
  end
  record('ItemsInitialised', facts.log_id,
    { 'first', facts.first, 'last', facts.last, 'stock', facts.stock, 'price', facts.price, 'replaced', integer(replaced) })
  for item = first, last do
    redis.call('HSET', names.item .. item, 'stock', facts.stock, 'price', facts.price)
  end
  book_all('added', added)
  return { 'initialised' }
end
