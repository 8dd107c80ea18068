--- @include "single"
-- create-item: puts a new item into the range, none of it in stock.
-- ARGS     log_id, item, price
-- RETURNS  created, item, log_id
commands['create-item'] = function(args)
  emit_single('ItemCreated', args.log_id, { 'item', args.item, 'price', args.price })
  redis.call('HSET', names.item .. args.item, 'stock', '0', 'price', args.price)
  return { 'created', args.item, args.log_id }
end
