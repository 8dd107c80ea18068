-- whole-checkout: what a checkout would cost if all of the shop were one Redis. Checks the order, the credit and the stock,
-- takes both, marks the order paid and says so in a log. See limits.ts.
-- ARGV     order
-- RETURNS  paid | refused
local order = 'order:' .. ARGV[1]
local found = redis.call('HMGET', order, 'user', 'status', 'total', 'lines')
local user, status, total, lines = unpack(found)
if status ~= 'open' or tonumber(redis.call('HGET', 'user:' .. user, 'credit')) < tonumber(total) then
  return 'refused'
end
for item, quantity in string.gmatch(lines, '([^:,]+):(%d+)') do
  if tonumber(redis.call('HGET', 'item:' .. item, 'stock')) < tonumber(quantity) then
    return 'refused'
  end
end
redis.call('HINCRBY', 'user:' .. user, 'credit', '-' .. total)
for item, quantity in string.gmatch(lines, '([^:,]+):(%d+)') do
  redis.call('HINCRBY', 'item:' .. item, 'stock', '-' .. quantity)
end
redis.call('HSET', order, 'status', 'paid')
redis.call('XADD', 'log', '*', 'kind', 'OrderPaid', 'order', ARGV[1], 'user', user, 'total', total, 'lines', lines)
return 'paid'
