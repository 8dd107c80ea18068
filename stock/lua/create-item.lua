--- @include "single"
-- create-item: puts a new item into the range, none of it in stock.
-- FACTS    log_id, item, price
-- RETURNS  created, item, log_id
commands['create-item'] = function(facts)
  record('ItemCreated', facts.log_id, { 'item', facts.item, 'price', facts.price })
  redis.call('HSET', names.item .. facts.item, 'stock', '0', 'price', facts.price)
  return { 'created', facts.item, facts.log_id }
end
