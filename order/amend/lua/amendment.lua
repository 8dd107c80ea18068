--- @include "changing"
--- @include "documents"
--- @include "refunds"
--- @include "single"
-- An *amendment* changes an order that is paid. If it costs more, or wants more goods, it is a saga like a checkout (checkout.lua), over
-- the increase only: `total` and `lines` are what is to be paid and taken besides. Its record has moreover
--   amends  the version of the order that it was made from
--   back    the pieces that leave the order, as `item:quantity,item:quantity`
--   costs   what each line costs from then on, likewise
-- While it is under way its order is *changing*, and `amendment` names it. An order counts its `amendments`, `amended` names
-- those that were sagas, and `amends` is the version from which the last one was made. What leaves goes back by a refund once the
-- amendment is made: under a log id that follows from the amendment's, so that it is granted once, whoever finds that it is due.
-- A refund of an amendment lowers what the order has cost, and shows as no return of a line. `made` says which version of the
-- order each amendment has made, as `amendment:version,amendment:version`.
local BACK = '-back'

-- is_whole(order): whether nothing of an order was refunded, as `order_for_refund` has it.
local function is_whole(order)
  return not order.undone and order.refunded == 0 and next(order.returned) == nil
end

-- is_later(order, amends): whether an order was not amended since it had this version, as far as is known.
local function is_later(order, amends)
  local last, given_up = unpack(redis.call('HMGET', names.order .. order.id, 'amends', 'give_up'))
  return not given_up and tonumber(last or '0') < tonumber(amends)
end

-- can_amend(order, saga): whether an order can be the one that an amendment was made from, which this service has forgotten: by all that is
-- known, for its version is another one if it was rebuilt, or its documents were. Lines to which nothing was added must cost what is left
-- of them, and all lines together what was charged.
local function can_amend(order, saga)
  if not was_paid(order.status) or not is_whole(order) or not is_later(order, saga.amends) then
    return false
  end
  local pieces, take, back, costs = amounts(order.lines), amounts(saga.lines), amounts(saga.back), amounts(saga.costs)
  local total = 0
  for item, quantity in pairs(pieces) do
    local cost, gone = order.costs[item], back[item] or 0
    if gone > quantity then
      return false
    end
    if cost and not take[item] and (costs[item] or 0) ~= cost - worth(cost, quantity, gone) then
      return false
    end
    take[item] = (take[item] or 0) + quantity - gone
  end
  for item, quantity in pairs(take) do
    if (quantity > 0) ~= (costs[item] ~= nil) then
      return false
    end
    total = total + (costs[item] or 0)
  end
  local credit = order.total + tonumber(saga.total) - total
  return credit == 0 or (credit > 0 and saga.total == '0')
end

-- emit_amended(id, saga, facts): tells what an order is from now on; of a saga it is told beside its own entries.
local function emit_amended(id, saga, facts)
  if not saga.entries then
    emit_single('OrderAmended', id, facts)
    return
  end
  local texts = {}
  for at = 1, #facts, 2 do
    texts[#texts + 1] = facts[at] .. '=' .. facts[at + 1]
  end
  append('OrderAmended', id, table.concat(texts, ' '))
end

-- note_made(order, id, version): remembers which version of an order an amendment has made: its client is told that one, whatever others
-- have made of the order since.
local function note_made(order, id, version)
  local key = names.order .. order
  redis.call('HSET', key, 'made', with_document(without(redis.call('HGET', key, 'made'), id), id, version))
end

-- note_amended(id, saga, order): counts an amendment, and has the order name its documents; what was drafted of its invoice shows other
-- lines than it has now.
local function note_amended(id, saga, order)
  local key = names.order .. order.id
  redis.call('HINCRBY', key, 'amendments', 1)
  redis.call('HSET', key, 'amends', saga.amends)
  note_made(order.id, id, order.version)
  if redis.call('HEXISTS', key, 'billed') == 1 then
    redis.call('HSET', key, 'billed', order.version)
  end
  if not saga.entries then
    return
  end
  local amended, invoices = unpack(redis.call('HMGET', key, 'amended', 'invoices'))
  redis.call('HSET', key, 'amended', amended and amended .. ',' .. id or id)
  if saga.invoice then
    invoices = with_document(invoices, saga.invoice, saga.total)
    order.invoices = invoices
    redis.call('HSET', key, 'invoices', invoices)
  end
end

-- amend(id, saga, order): makes an order what an amendment says, and grants the refund of what leaves. What was charged for more than it
-- costs now goes back as well. Returns that refund, if there is one.
local function amend(id, saga, order)
  local pieces, take, back = amounts(order.lines), amounts(saga.lines), amounts(saga.back)
  local lines, total = {}, 0
  for item, cost in string.gmatch(saga.costs, '([^:,]+):(%d+)') do
    lines[#lines + 1] = item .. ':' .. integer((pieces[item] or 0) + (take[item] or 0) - (back[item] or 0))
    total = total + tonumber(cost)
  end
  local credit = order.total + tonumber(saga.total) - total
  local text = table.concat(lines, ',')
  order.version = later_version(order.version)
  redis.call('HSET', names.order .. order.id, 'status', 'paid', 'total', integer(total), 'lines', text, 'costs', saga.costs,
    'version', order.version)
  note_amended(id, saga, order)
  emit_amended(id, saga, { 'order', order.id, 'user', order.user, 'total', integer(total), 'lines', text,
    'costs', saga.costs, 'order_version', order.version })
  if saga.back == '' then
    return nil
  end
  local refund = {
    order = order.id, user = order.user, total = integer(credit), lines = saga.back, restock = 'shelf',
    invoice = taken_back(order.invoices, order.total + tonumber(saga.total), credit), amends = saga.amends,
    costs = saga.costs, checkouts = order.checkouts,
  }
  if saga.entries then
    refund.checkouts = id .. ',' .. refund.checkouts
  end
  grant(id .. BACK, refund)
  return refund
end
