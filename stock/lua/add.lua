--- @include "single"
--- @include "ledger"
-- add: puts goods on the shelf.
-- ARGS     log_id, item, amount
-- RETURNS  added | unknown | too-much
function commands.add(args)
  local stock = redis.call('HGET', names.item .. args.item, 'stock')
  if not stock then
    return { 'unknown' }
  end
  if tonumber(stock) + tonumber(args.amount) > limits.amount_max then
    return { 'too-much' }
  end
  emit_single('StockAdded', args.log_id, { 'item', args.item, 'amount', args.amount })
  redis.call('HINCRBY', names.item .. args.item, 'stock', args.amount)
  post('added', args.amount)
  return { 'added' }
end
