--- @include "single"
--- @include "ledger"
--- @include "offer"
-- init-items: makes the items `first` to `last` anew, each with the same stock and price, and none of them withdrawn.
-- ARGS     log_id, first, last, stock, price
-- RETURNS  initialised
commands['init-items'] = function(args)
  local first, last = tonumber(args.first), tonumber(args.last)
  local replaced = 0
  local added = {}
  local newest = 0
  for item = first, last do
    local stock = tonumber(redis.call('HGET', names.item .. item, 'stock') or '0')
    local _, _, version = offer(item)
    newest = math.max(newest, tonumber(version))
    added[#added + 1] = tonumber(args.stock) - stock
    replaced = replaced + stock
  end
  local version = integer(version_after(newest))
  emit_single('ItemsInitialised', args.log_id, { 'first', args.first, 'last', args.last, 'stock', args.stock,
    'price', args.price, 'replaced', integer(replaced), 'item_version', version })
  for item = first, last do
    local key = names.item .. item
    redis.call('HSET', key, 'stock', args.stock, 'price', args.price, 'version', version)
    redis.call('HDEL', key, 'withdrawn')
  end
  post_all('added', added)
  return { 'initialised' }
end
