--- @include "log"
-- The books are a hash of running sums, entered by the very deeds that move what they count, in the same step. A sum may
-- exceed what Lua (2^53) and Redis (2^63) count to, so an account is two fields: `{account}` counts ones, `{account}:high`
-- counts 2^27s. A deed adds less than 2^27 to either, so neither is full before 2^36 deeds.
local HIGH = 134217728

-- book(account, amount): enters an amount, as text or as a number; one below zero is taken off.
local function book(account, amount)
  local number = tonumber(amount)
  local low = math.fmod(number, HIGH)
  if low ~= 0 then
    redis.call('HINCRBY', names.books, account, integer(low))
  end
  if number ~= low then
    redis.call('HINCRBY', names.books, account .. ':high', integer((number - low) / HIGH))
  end
end

-- book_all(account, amounts): enters a list of numbers, together as far as their sum is exact.
local function book_all(account, amounts)
  local sum = 0
  for _, amount in ipairs(amounts) do
    if math.abs(sum + amount) > limits.amount_max then
      book(account, sum)
      sum = 0
    end
    sum = sum + amount
  end
  book(account, sum)
end

-- book_lines(account, sign, lines): enters the pieces of `name:quantity,name:quantity`; the sign is 1, or -1 to take them off.
local function book_lines(account, sign, lines)
  local amounts = {}
  for quantity in string.gmatch(lines, ':(%d+)') do
    amounts[#amounts + 1] = sign * tonumber(quantity)
  end
  book_all(account, amounts)
end
