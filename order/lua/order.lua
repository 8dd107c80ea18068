--- @include "log"
-- An order is a hash: `user`, `status`, `saga` (its last checkout), `total`, `lines`, and what each line has cost, `costs`, both as
-- `item:amount,item:amount`. It has a `number` of its own, under which it stands in the sorted set of its user's orders
-- (`names.listed`). `at` is when it was made. Its `version` is when it was changed last, in milliseconds, or 1 if it never was: so
-- none comes twice, also if this Redis comes back older. What it has forgotten was changed before.
-- What payment is to invoice for it, `billed`, is in drafted.lua.
-- How it is to be paid, `method` and `installments`, is known of one that was placed so. Which documents it has is in documents.lua.
-- One that was placed over a value only has no lines; it is tried once to have it paid, and if that fails it is cancelled, under the
-- log id that is kept in `once`.
-- An order of an older version has no number, costs and times, and stands in no set; or it has a count as its version, and
-- `updated` beside it.

-- What a checkout returns of an order that will never be paid, by its status: of no other.
local over = { cancelled = 'order-cancelled', expired = 'order-expired' }

-- was_paid(status, refunded, undone): whether the ledger counts an order as paid: also one that is being changed since, or was cancelled
-- when it was.
local function was_paid(status, refunded, undone)
  return status == 'paid' or status == 'changing' or (status == 'cancelled' and (refunded or undone) and true or false)
end

-- next_numbers(count): so many numbers that no order has; the last of them.
local function next_numbers(count)
  return redis.call('INCRBY', names.numbers, count)
end

-- later_version(version): that of a change that follows.
local function later_version(version)
  return integer(math.max(now_ms(), (tonumber(version) or 1) + 1))
end

-- is_wanted(versions, version): whether a version is one of those that a client has named, separated by blanks, or `any`.
local function is_wanted(versions, version)
  return versions == 'any' or string.find(' ' .. versions .. ' ', ' ' .. version .. ' ', 1, true) ~= nil
end

-- list_order(order, user, number, before): has an order stand among those of its user, who may be another one than before.
local function list_order(order, user, number, before)
  if before and before ~= user then
    redis.call('ZREM', names.listed .. before, order)
  end
  redis.call('ZADD', names.listed .. user, number, order)
end

-- open_order(args, total, lines, costs, ...): makes an open order that was not there before, with these further fields. Returns its number,
-- and when that was.
local function open_order(args, total, lines, costs, ...)
  local number, at = integer(next_numbers(1)), integer(now_ms())
  redis.call('HSET', names.order .. args.order, 'user', args.user, 'status', 'open', 'total', total, 'lines', lines, 'costs', costs,
    'number', number, 'at', at, ...)
  list_order(args.order, args.user, number)
  return number, at
end

-- apart(list, item): what a list says of other items, as a list, and the amount that it says of this one, if any.
local function apart(list, item)
  local others, amount = {}, nil
  for name, number in string.gmatch(list, '([^:,]+):(%d+)') do
    if name == item then
      amount = tonumber(number)
    else
      others[#others + 1] = name .. ':' .. number
    end
  end
  return others, amount
end
