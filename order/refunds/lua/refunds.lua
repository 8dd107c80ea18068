--- @include "documents"
--- @include "order"
--- @include "ledger"
--- @include "saga"
-- A refund gives pieces of a paid order back, and the money for them. It is decided when it is *granted*, and never undone; once
-- payment has paid it, it is *settled*. What was granted of an order stands in its hash: `returned`, the pieces as
-- `item:quantity,item:quantity`, and `refunded`, the money. A refund is a saga of its own, and it stays known after that in
-- `names.refunds`, a hash for each order: for each refund a text, `{at} {total} {restock} {state} {note} {lines} {reason}`, a dash for
-- what there is not, and, if payment has lost credit notes of it and issued them anew, ` {number},{number}`, those before. A text is
-- empty if the order was made anew since. One that no order shows stands in `names.unshown` as well: see rebuild.lua.

-- amounts(list): `item:amount,item:amount` as a table.
local function amounts(list)
  local found = {}
  for item, amount in string.gmatch(list or '', '([^:,]+):(%d+)') do
    found[item] = tonumber(amount)
  end
  return found
end

-- checkouts_in(amended, saga): the log ids of the amendments of an order, and of its checkout, as a text, the last one first.
local function checkouts_in(amended, saga)
  local ids = saga
  for id in string.gmatch(amended or '', '[^,]+') do
    ids = ids and id .. ',' .. ids or id
  end
  return ids or nil
end

-- order_for_refund(id): what a refund must know of an order; nil if there is no such order.
local function order_for_refund(id)
  local user, status, total, lines, costs, returned, refunded, version, undone, invoices, amended, saga = unpack(redis.call('HMGET',
    names.order .. id, 'user', 'status', 'total', 'lines', 'costs', 'returned', 'refunded', 'version', 'undone', 'invoices', 'amended',
    'saga'))
  return user and {
    id = id, user = user, status = status, total = tonumber(total), lines = lines, costs = amounts(costs),
    returned = amounts(returned), refunded = tonumber(refunded or '0'), version = version or '1', undone = undone,
    invoices = invoices, checkouts = checkouts_in(amended, saga),
  } or nil
end

-- invoice_for(order, total, before): which of its invoices a refund of so much takes back, if so much was refunded before.
local function invoice_for(order, total, before)
  return taken_back(order.invoices, order.total - before, total)
end

-- share(part, whole, amount): floor(amount * part / whole) for amount < whole, exact to 2^53: where the product is larger, by long
-- division, bit by bit.
local function share(part, whole, amount)
  if part * amount <= limits.amount_max then
    local product = part * amount
    return (product - math.fmod(product, whole)) / whole
  end
  local bits = {}
  for _ = 1, 53 do
    bits[#bits + 1] = math.fmod(part, 2)
    part = math.floor(part / 2)
  end
  local quotient, rest = 0, 0
  local function add(more)
    if rest >= whole - more then
      rest = rest - (whole - more)
      quotient = quotient + 1
    else
      rest = rest + more
    end
  end
  for at = #bits, 1, -1 do
    quotient = 2 * quotient
    add(rest)
    if bits[at] == 1 then
      add(amount)
    end
  end
  return quotient
end

-- worth(cost, quantity, pieces): what so many pieces of a line are worth that has cost so much for so many. It is rounded down, so
-- that whatever is refunded piece by piece adds up to the cost in the end.
local function worth(cost, quantity, pieces)
  local rest = math.fmod(cost, quantity)
  return (cost - rest) / quantity * pieces + share(pieces, quantity, rest)
end

-- remember_refund(id, refund): keeps what is to be known of it for ever.
local function remember_refund(id, refund)
  redis.call('HSET', names.refunds .. refund.order, id, table.concat({ refund.at, refund.total, refund.restock,
    refund.state, refund.note or '-', refund.lines == '' and '-' or refund.lines, refund.reason or '-', refund.replaced }, ' '))
end

-- recalled_refund(order, id): the same; nil if it is unknown, and without anything in it if the order was made anew since.
local function recalled_refund(order, id)
  local text = redis.call('HGET', names.refunds .. order, id)
  if not text then
    return nil
  end
  local at, total, restock, state, note, lines, reason, replaced = string.match(text,
    '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) ?(%S*)$')
  return {
    order = order, at = at, total = total, restock = restock, state = state, note = note, lines = lines, reason = reason,
    replaced = replaced ~= '' and replaced or nil,
  }
end

-- unshown_total(order): how much was refunded of an order that it does not show.
local function unshown_total(order)
  local total = 0
  for _, id in ipairs(redis.call('HKEYS', names.unshown .. order)) do
    local refund = recalled_refund(order, id)
    total = total + tonumber(refund and refund.total or '0')
  end
  return total
end

-- refund_of(order, wanted): what goes back if these lines are wanted, or all that is left (''): the total, and its lines; or nil, why
-- not, the item, and what is left of it. Of an order of which not all costs are known, or which has no lines, only all that is left can
-- go back; of one whose money is back already although it counts as paid, as a person has accepted, nothing; and no more than is left when
-- what it does not show is counted, too: that is contradicted.
local function refund_of(order, wanted)
  if order.undone then
    return nil, 'nothing'
  end
  local pieces, all = amounts(wanted), wanted == ''
  local lines, total, left_in_all, is_rest, unknown = {}, 0, false, true, nil
  for item, text in string.gmatch(order.lines, '([^:,]+):(%d+)') do
    local quantity, before = tonumber(text), order.returned[item] or 0
    local left = quantity - before
    local count = all and left or pieces[item] or 0
    if count > left then
      return nil, 'too-much', item, integer(left)
    end
    pieces[item] = nil
    left_in_all = left_in_all or left > 0
    is_rest = is_rest and count == left
    if count > 0 then
      lines[#lines + 1] = item .. ':' .. integer(count)
      local cost = order.costs[item]
      unknown = unknown or (not cost and item)
      total = total + (cost and worth(cost, quantity, before + count) - worth(cost, quantity, before) or 0)
    end
  end
  local is_left_of_value = order.lines == '' and order.total > order.refunded
  if not left_in_all and not is_left_of_value then
    return nil, 'nothing'
  end
  local strange = next(pieces)
  if strange then
    return nil, 'too-much', strange, '0'
  end
  if is_rest then
    total = order.total - order.refunded
  elseif unknown then
    return nil, 'prices-unknown', unknown
  end
  if order.refunded + total + unshown_total(order.id) > order.total then
    return nil, 'contradicted'
  end
  return total, table.concat(lines, ',')
end

-- grant(id, refund): decides a refund: a table of `order`, `user`, `total`, `lines`, `restock` and perhaps `reason` (without
-- blanks), the `invoice` that is to be credited, or several, and the `checkouts` that had the goods (all of its order, the last
-- one first), and the version that it `amends`, if it is of an amendment. What its order shows is another matter: one that was granted
-- before, and that no order shows, is not granted twice.
local function grant(id, refund)
  if redis.call('HDEL', names.unshown .. refund.order, id) == 1 then
    post('replaced-paid', refund.total)
    post_lines('replaced-sold', 1, refund.lines)
    return
  end
  refund.at = integer(now_ms())
  emit_saga(id, refund, 'granted')
  remember_refund(id, refund)
  post('paid', minus(refund.total))
  post_lines('sold', -1, refund.lines)
end

-- book_refund(order, total, lines): has an order show what goes back.
local function book_refund(order, total, lines)
  local returned = {}
  for item, count in pairs(amounts(lines)) do
    order.returned[item] = (order.returned[item] or 0) + count
  end
  for item in string.gmatch(order.lines, '([^:,]+):%d+') do
    if order.returned[item] then
      returned[#returned + 1] = item .. ':' .. integer(order.returned[item])
    end
  end
  order.refunded = order.refunded + total
  order.version = later_version(order.version)
  redis.call('HSET', names.order .. order.id, 'returned', table.concat(returned, ','), 'refunded', integer(order.refunded),
    'version', order.version)
end

-- grant_refund(id, order, wanted, restock, reason): grants a refund of these lines of an order that is paid, or of all that is left ('').
-- Returns it; or nil, and the same as `refund_of`.
local function grant_refund(id, order, wanted, restock, reason)
  local total, lines, item, left = refund_of(order, wanted)
  if not total then
    return nil, lines, item, left
  end
  local refund = {
    order = order.id, user = order.user, total = integer(total), lines = lines, restock = restock, reason = reason,
    invoice = invoice_for(order, total, order.refunded + unshown_total(order.id)), checkouts = order.checkouts,
  }
  grant(id, refund)
  book_refund(order, total, lines)
  return refund
end
