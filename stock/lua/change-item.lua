--- @include "single"
--- @include "offer"
-- change-item: changes the price of an item, or whether it is withdrawn, if its version is one of those that are wanted. The
-- entry says the whole offer as it is from then on. What is so already is no change: the version stays.
-- ARGS     log_id, item, versions (separated by blanks, or `any`), price (if it is to change), withdrawn (yes or no; the same)
-- RETURNS  changed, price, withdrawn, version | stale, version | unknown
commands['change-item'] = function(args)
  local old_price, was_withdrawn, version = offer(args.item)
  if not old_price then
    return { 'unknown' }
  end
  if args.versions ~= 'any' and not string.find(' ' .. args.versions .. ' ', ' ' .. version .. ' ', 1, true) then
    return { 'stale', version }
  end
  local price, withdrawn = args.price or old_price, args.withdrawn or was_withdrawn
  if price == old_price and withdrawn == was_withdrawn then
    return { 'changed', price, withdrawn, version }
  end
  version = integer(version_after(version))
  local changed = { 'item', args.item, 'price', price, 'item_version', version }
  if withdrawn == was_withdrawn then
    emit_single('PriceChanged', args.log_id, changed)
  elseif withdrawn == 'yes' then
    emit_single('ItemWithdrawn', args.log_id, changed)
  else
    emit_single('ItemOffered', args.log_id, changed)
  end
  redis.call('HSET', names.item .. args.item, 'price', price, 'withdrawn', withdrawn, 'version', version)
  return { 'changed', price, withdrawn, version }
end
