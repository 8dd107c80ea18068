--- @include "log"
-- The books are a hash of running sums, entered by the very scripts that move what they count. A sum may exceed what Lua
-- (2^53) and Redis (2^63) count to, so an account is two fields: `{account}` counts ones, `{account}:high` counts 2^27s. An
-- entry adds less than 2^27 to either, so neither is full before 2^36 of them.
local HIGH = 134217728

-- enter(account, sum): writes a sum whose digits are exact; one below zero is taken off.
local function enter(account, sum)
  local low = math.fmod(sum, HIGH)
  if low ~= 0 then
    redis.call('HINCRBY', names.books, account, integer(low))
  end
  if sum ~= low then
    redis.call('HINCRBY', names.books, account .. ':high', integer((sum - low) / HIGH))
  end
end

-- book(account, amount): books an amount, as text or as a number, together with what the script books besides, as far as
-- their sum is exact.
local booked = {}
local function book(account, amount)
  local before = booked[account] or 0
  local sum = before + tonumber(amount)
  if math.abs(sum) > limits.amount_max then
    enter(account, before)
    sum = tonumber(amount)
  end
  booked[account] = sum
end
gathered[#gathered + 1] = function()
  for account, sum in pairs(booked) do
    enter(account, sum)
  end
end

-- book_all(account, amounts): books a list of numbers.
local function book_all(account, amounts)
  for _, amount in ipairs(amounts) do
    book(account, amount)
  end
end

-- book_lines(account, sign, lines): books the pieces of `name:quantity,name:quantity`; the sign is 1, or -1 to take them off.
local function book_lines(account, sign, lines)
  for quantity in string.gmatch(lines, ':(%d+)') do
    book(account, sign * tonumber(quantity))
  end
end
