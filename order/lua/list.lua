--- @include "log"
--- @include "shown"
-- list: a page of a user's orders, the newest first; of those in one status, if one is wanted. What is shown costs the same however
-- many there are; a status is looked for in the last LOOKED_MAX of them, or in so many from the cursor on.
-- ABOUT    user, status or '-', cursor (the number of the last order that was seen) or '-', offset, limit
-- RETURNS  how many there are, and how many come before the page; nothing where they are not counted; the cursor of the next page, or
--          ''; what `shown` does of each order
-- WRITES   nothing
local LOOKED_MAX = 10000

-- counted(number): as text, if it is known.
local function counted_text(number)
  return number and integer(number)
end

-- page_of(key, all, first, limit): a page of all orders.
local function page_of(key, all, first, limit)
  local found = redis.call('ZREVRANGE', key, first, first + limit - 1, 'WITHSCORES')
  local orders = {}
  for at = 1, #found, 2 do
    orders[#orders + 1] = shown(found[at])
  end
  local has_more = #orders > 0 and first + #orders < all
  return { integer(all), integer(first), has_more and found[#found] or '', orders }
end

-- page_in(status, key, all, before, offset, limit): a page of those in a status; the first `before` of all come before it, and the first
-- `offset` of the others that are in this status.
local function page_in(status, key, all, before, offset, limit)
  local is_all = all <= LOOKED_MAX
  local from = is_all and 0 or before
  local found = redis.call('ZREVRANGE', key, from, from + LOOKED_MAX - 1, 'WITHSCORES')
  local orders, last, passed, left = {}, nil, 0, 0
  for at = 1, #found, 2 do
    if redis.call('HGET', names.order .. found[at], 'status') == status then
      if from + (at - 1) / 2 < before or passed < offset then
        passed = passed + 1
      elseif #orders < limit then
        orders[#orders + 1], last = shown(found[at]), found[at + 1]
      else
        left = left + 1
      end
    end
  end
  local has_more = left > 0 or from + LOOKED_MAX < all
  local next = has_more and (#orders == limit and last or found[#found]) or ''
  return { counted_text(is_all and passed + #orders + left), counted_text((is_all or before == 0) and passed), next, orders }
end

function queries.list(about)
  local user, status, cursor, offset, limit = string.match(about, '^(%S+) (%S+) (%S+) (%d+) (%d+)$')
  local key = names.listed .. user
  local all = redis.call('ZCARD', key)
  local before = cursor == '-' and 0 or redis.call('ZCOUNT', key, cursor, '+inf')
  if status == '-' then
    return page_of(key, all, before + tonumber(offset), tonumber(limit))
  end
  return page_in(status, key, all, before, tonumber(offset), tonumber(limit))
end
