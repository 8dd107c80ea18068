--- @include "ledger"
--- @include "saga"
-- An item is a hash: `stock`, how many are there, and `price`. There are no reservations: goods are taken when the money
-- for them is held, all lines of a checkout or none, by one decrement on committed numbers.

-- each_line(lines): iterates over item and quantity of `item:quantity,item:quantity`.
local function each_line(lines)
  return string.gmatch(lines, '([^:,]+):(%d+)')
end

-- without(lines, others): what is left of lines less the pieces of others.
local function without(lines, others)
  local fewer, left = {}, {}
  for item, quantity in each_line(others) do
    fewer[item] = tonumber(quantity)
  end
  for item, quantity in each_line(lines) do
    local count = tonumber(quantity) - (fewer[item] or 0)
    if count > 0 then
      left[#left + 1] = item .. ':' .. integer(count)
    end
  end
  return table.concat(left, ',')
end

-- put_back(lines, must_be_known): puts goods on their shelves. Where there is no room for them, or no item of that name and it must be
-- known, nothing is done: the entry is a dead letter until that has changed.
local function put_back(lines, must_be_known)
  for item, quantity in each_line(lines) do
    local stock = redis.call('HGET', names.item .. item, 'stock')
    if not stock and must_be_known then
      error('there is no item ' .. item, 0)
    end
    if tonumber(stock or '0') + tonumber(quantity) > limits.amount_max then
      error('the shelf has no room for ' .. quantity .. ' of ' .. item, 0)
    end
  end
  for item, quantity in each_line(lines) do
    redis.call('HINCRBY', names.item .. item, 'stock', quantity)
  end
end

-- post_back(lines, shelved): goods are taken no more; those of them that are put on no shelf, or are there already, are written off, for
-- order counts them as back once more.
local function post_back(lines, shelved)
  post_lines('taken', -1, lines)
  post_lines('written-off', 1, lines)
  post_lines('written-off', -1, shelved)
end
