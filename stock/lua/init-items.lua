--- @include "single"
--- @include "ledger"
-- init-items: makes the items `first` to `last` anew, each with the same stock and price.
-- ARGS     log_id, first, last, stock, price
-- RETURNS  initialised
commands['init-items'] = function(args)
  local first, last = tonumber(args.first), tonumber(args.last)
  local replaced = 0
  local added = {}
  for item = first, last do
    local stock = tonumber(redis.call('HGET', names.item .. item, 'stock') or '0')
    added[#added + 1] = tonumber(args.stock) - stock
    replaced = replaced + stock
  end
  emit_single('ItemsInitialised', args.log_id,
    { 'first', args.first, 'last', args.last, 'stock', args.stock, 'price', args.price, 'replaced', integer(replaced) })
  for item = first, last do
    redis.call('HSET', names.item .. item, 'stock', args.stock, 'price', args.price)
  end
  post_all('added', added)
  return { 'initialised' }
end
