-- whole-shop: fills the one Redis of whole-checkout with the users, items and orders `first` to `last`.
-- ARGV     first, last, users, items, credit, stock, price
local first, last, users, items = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
for id = first, last do
  if id < users then
    redis.call('HSET', 'user:' .. id, 'credit', ARGV[5])
  end
  if id < items then
    redis.call('HSET', 'item:' .. id, 'stock', ARGV[6], 'price', ARGV[7])
  end
  -- Two different items, and neighbouring orders far apart, without a random number: 7919 is prime.
  local one = id * 7919 % items
  local other = (one + 1 + id % 97) % items
  redis.call('HSET', 'order:' .. id, 'user', id * 7919 % users, 'status', 'open', 'total', 2 * tonumber(ARGV[7]), 'lines',
    string.format('%d:1,%d:1', one, other))
end
