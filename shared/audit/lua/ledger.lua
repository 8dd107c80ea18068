--- @include "log"
-- The ledger is a hash of running sums, to which the very scripts post that move what it counts. A sum may exceed what Lua
-- (2^53) and Redis (2^63) count to, so an account is two fields: `{account}` counts ones, `{account}:high` counts 2^27s. An
-- entry adds less than 2^27 to either, so neither is full before 2^36 of them.
local HIGH = 134217728

-- enter(account, sum): writes a sum whose digits are exact; one below zero is taken off.
local function enter(account, sum)
  local low = math.fmod(sum, HIGH)
  if low ~= 0 then
    redis.call('HINCRBY', names.ledger, account, integer(low))
  end
  if sum ~= low then
    redis.call('HINCRBY', names.ledger, account .. ':high', integer((sum - low) / HIGH))
  end
end

-- post(account, amount): posts an amount, as text or as a number, together with what the script posts besides, as far as
-- their sum is exact. A text is added as it is: `tonumber` would convert it twice.
local posted = {}
local function post(account, amount)
  local before = posted[account] or 0
  local sum = before + amount
  if math.abs(sum) > limits.amount_max then
    enter(account, before)
    sum = 0 + amount
  end
  posted[account] = sum
end
gathered[#gathered + 1] = function()
  for account, sum in pairs(posted) do
    enter(account, sum)
  end
end

-- post_all(account, amounts): posts a list of numbers.
local function post_all(account, amounts)
  for _, amount in ipairs(amounts) do
    post(account, amount)
  end
end

-- post_lines(account, sign, lines): posts the pieces of `name:quantity,name:quantity`; the sign is 1, or -1 to take them off.
local function post_lines(account, sign, lines)
  for quantity in string.gmatch(lines, ':(%d+)') do
    post(account, sign * quantity)
  end
end
