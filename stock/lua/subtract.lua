--- @include "single"
--- @include "ledger"
-- subtract: takes goods off the shelf outside any checkout.
-- ARGS     log_id, item, amount
-- RETURNS  subtracted | out-of-stock | unknown
function commands.subtract(args)
  local stock = redis.call('HGET', names.item .. args.item, 'stock')
  if not stock then
    return { 'unknown' }
  end
  if tonumber(stock) < tonumber(args.amount) then
    return { 'out-of-stock' }
  end
  emit_single('StockSubtracted', args.log_id, { 'item', args.item, 'amount', args.amount })
  redis.call('HINCRBY', names.item .. args.item, 'stock', minus(args.amount))
  post('added', minus(args.amount))
  return { 'subtracted' }
end
