--- @include "amendment"
--- @include "contradiction"
-- is_paid(order): whether what was captured for it is its own still.
local function is_paid(order)
  return order.status == 'paid' or order.status == 'changing'
end

-- fits(order, refund): whether so much is left of an order.
local function fits(order, refund)
  local quantities = amounts(order.lines)
  for item, count in pairs(amounts(refund.lines)) do
    if count + (order.returned[item] or 0) > (quantities[item] or 0) then
      return false
    end
  end
  return order.refunded + tonumber(refund.total) <= order.total
end

-- amend_again(id, refund, order): makes an order less once more that was amended so, if it can be the one that was amended, and
-- nothing was added then. False if it cannot.
local function amend_again(id, refund, order)
  if not refund.amends or order.status ~= 'paid' or not is_whole(order) or not is_later(order, refund.amends) then
    return false
  end
  local back, costs, credit = amounts(refund.lines), {}, 0
  for item, text in string.gmatch(order.lines, '([^:,]+):(%d+)') do
    local quantity, cost, gone = tonumber(text), order.costs[item], back[item] or 0
    if not cost or gone > quantity then
      return false
    end
    local less = worth(cost, quantity, gone)
    credit = credit + less
    if gone < quantity then
      costs[#costs + 1] = item .. ':' .. integer(cost - less)
    end
  end
  if integer(credit) ~= refund.total or #costs == 0 then
    return false
  end
  local alone = { total = '0', lines = '', amends = refund.amends, back = refund.lines, costs = table.concat(costs, ',') }
  local granted = amend(string.sub(id, 1, -#BACK - 1), alone, order)
  refund.entries, refund.state, refund.stored, refund.at = granted.entries, granted.state, granted.stored, granted.at
  return true
end

-- rebuild(id, refund): grants once more what this Redis has forgotten, and names the invoice of its order again. What its order cannot show,
-- because it was refunded otherwise since, or is not paid any more, no order shows, as what was replaced: then false. One of an amendment that cannot be made any more is
-- one like any other.
local function rebuild(id, refund)
  local order = order_for_refund(refund.order)
  if order and amend_again(id, refund, order) then
    return true
  end
  refund.amends = nil
  local is_known = order and is_paid(order)
  local is_shown = is_known and fits(order, refund)
  refund.invoice = is_known and order.invoice or nil
  grant(id, refund)
  if is_shown then
    book_refund(order, tonumber(refund.total), refund.lines)
  else
    post('replaced-paid', minus(refund.total))
    post_lines('replaced-sold', -1, refund.lines)
  end
  return is_shown
end

-- contradict_refund(refund): a person is to see to an order of which more was refunded than it shows. It is listed with its checkout, as
-- far as that is recorded.
local function contradict_refund(refund)
  local id = redis.call('HGET', names.order .. refund.order, 'saga') or ''
  local saga = load_saga(id)
  if saga then
    contradict(id, saga, 'told-refunded')
  else
    redis.call('SADD', names.contradictions, refund.order)
  end
  return { 'contradicted', id, 'told-refunded', refund.order }
end
