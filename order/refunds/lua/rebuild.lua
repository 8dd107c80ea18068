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
-- nothing was added then, nor was it a saga, of which payment tells by itself: what its lines cost from then on must be as it was
-- told, if it was, and all of them together what is left of the total. A line of which it is not known what it has cost costs
-- what was told. False if it cannot.
local function amend_again(id, refund, order)
  local amendment = string.sub(id, 1, -#BACK - 1)
  local was_saga = string.find(',' .. (refund.checkouts or '') .. ',', ',' .. amendment .. ',', 1, true)
  if not refund.amends or was_saga or order.status ~= 'paid' or not is_whole(order) or not is_later(order, refund.amends) then
    return false
  end
  local back, told = amounts(refund.lines), refund.costs and amounts(refund.costs)
  local costs, rest = {}, order.total
  for item, text in string.gmatch(order.lines, '([^:,]+):(%d+)') do
    local quantity, gone = tonumber(text), back[item] or 0
    if gone > quantity then
      return false
    elseif gone < quantity then
      local cost = order.costs[item]
      local left = cost and cost - worth(cost, quantity, gone) or told and told[item]
      if not left or told and told[item] ~= left then
        return false
      end
      if told then
        told[item] = nil
      end
      costs[#costs + 1] = item .. ':' .. integer(left)
      rest = rest - left
    end
    back[item] = nil
  end
  local is_more_told = next(back) or told and next(told)
  if is_more_told or #costs == 0 or integer(rest) ~= refund.total then
    return false
  end
  local alone = { total = '0', lines = '', amends = refund.amends, back = refund.lines, costs = table.concat(costs, ',') }
  local granted = amend(amendment, alone, order)
  refund.entries, refund.state, refund.stored, refund.at = granted.entries, granted.state, granted.stored, granted.at
  return true
end

-- is_early(refund): whether a refund is of what payment is still to tell of: the order is as it was then, once all checkouts and amendments
-- are known that the refund names.
local function is_early(refund)
  local last = redis.call('HGET', names.order .. refund.order, 'saga')
  for id in string.gmatch(refund.checkouts or '', '[^,]+') do
    local saga = id ~= last and not has_amended(refund.order, id) and (load_saga(id) or { state = 'none' })
    if saga and (saga.state == 'none' or states[saga.state] == 'due' or is_forgotten(id, saga)) then
      return true
    end
  end
  return false
end

-- awaits_amendment(order): whether that is so of one of its refunds: until then nothing else is made of it, or it could not be amended.
local function awaits_amendment(order)
  for _, id in ipairs(redis.call('HKEYS', names.unshown .. order)) do
    if is_early(load_saga(id) or { order = order }) then
      return true
    end
  end
  return false
end

-- show_refund(id, refund): grants a refund that its order can show, names the invoice of that again, and has it show the refund.
-- False if it cannot, because it was refunded otherwise since, or is not paid, or is to be amended first. One of an amendment
-- that cannot be made any more is one like any other.
local function show_refund(id, refund)
  if is_early(refund) or awaits_amendment(refund.order) then
    return false
  end
  local order = order_for_refund(refund.order)
  if order and amend_again(id, refund, order) then
    return true
  end
  refund.amends, refund.costs = nil, nil
  refund.invoice = order and is_paid(order) and invoice_for(order, tonumber(refund.total), order.refunded) or nil
  refund.checkouts = refund.checkouts or (order and is_paid(order) and order.checkouts or nil)
  if not order or not is_paid(order) or not fits(order, refund) then
    return false
  end
  grant(id, refund)
  book_refund(order, tonumber(refund.total), refund.lines)
  return true
end

-- rebuild(id, refund): grants once more what this Redis has forgotten. What its order cannot show, no order shows, as what was replaced,
-- until it can: then false.
local function rebuild(id, refund)
  local amends = refund.amends
  if show_refund(id, refund) then
    return true
  end
  grant(id, refund)
  post('replaced-paid', minus(refund.total))
  post_lines('replaced-sold', -1, refund.lines)
  redis.call('HSET', names.unshown .. refund.order, id, amends or '-')
  if redis.call('EXISTS', names.order .. refund.order) == 1 then
    redis.call('HSET', names.order .. refund.order, 'unshown', 'yes')
  end
  return false
end

-- unshown_refunds(order): the refunds of an order that it does not show, as they are known, by their log ids; and these in the order in
-- which they were granted: nothing is amended once anything else was refunded.
local function unshown_refunds(order)
  local refunds, ids = {}, redis.call('HKEYS', names.unshown .. order)
  for _, id in ipairs(ids) do
    local amends = redis.call('HGET', names.unshown .. order, id)
    refunds[id] = load_saga(id) or recalled_refund(order, id)
    refunds[id].amends = amends ~= '-' and amends or nil
  end
  table.sort(ids, function(one, other)
    local first, second = tonumber(refunds[one].amends) or math.huge, tonumber(refunds[other].amends) or math.huge
    if first ~= second then
      return first < second
    end
    return one < other
  end)
  return refunds, ids
end

-- credit(id, refund, before): its order has the credit note, instead of the one before. With that an amendment makes no other version than
-- it has made before, by which what is refunded left the order, unless somebody else has changed the order since.
local function credit(id, refund, before)
  local key, amendment = names.order .. refund.order, string.sub(id, 1, -#BACK - 1)
  local made, version = unpack(redis.call('HMGET', key, 'made', 'version'))
  credit_refund(refund.order, refund.note, refund.total, before)
  if made and amounts(made)[amendment] == tonumber(version) then
    note_made(refund.order, amendment, redis.call('HGET', key, 'version'))
  end
end

-- credit_again(order, id): the same of one that was settled before its order could show it.
local function credit_again(order, id)
  local recalled = recalled_refund(order, id)
  if recalled and recalled.at and recalled.note ~= '-' then
    credit(id, recalled, recalled.note)
  end
end

-- show_refunds(order): an order is known again to be paid, or amended, of which refunds were known before (payment's Redis came back
-- older, too, and took longer to capture the money again than to refund it): it shows them. If nothing is left that it cannot show, its
-- refunds contradict nothing any more.
function rarely.show_refunds(order)
  if redis.call('HEXISTS', names.order .. order, 'unshown') == 0 and redis.call('EXISTS', names.unshown .. order) == 0 then
    return
  end
  local refunds, ids = unshown_refunds(order)
  for _, id in ipairs(ids) do
    if show_refund(id, refunds[id]) then
      credit_again(order, id)
    end
  end
  if redis.call('EXISTS', names.unshown .. order) == 1 then
    -- There may have been no such order when they became known.
    redis.call('HSET', names.order .. order, 'unshown', 'yes')
  else
    redis.call('HDEL', names.order .. order, 'unshown')
    for _, id in ipairs(sagas_of(order)) do
      if contradicted_by(id) == TOLD_REFUNDED then
        resolve_contradiction(id, load_saga(id), 'shown', '')
      end
    end
    unlist_if_consistent(order)
  end
end

-- contradict_refund(refund): a person is to see to an order of which more was refunded than it shows. It is listed with its checkout, as
-- far as that is recorded, else with the one that the refund names.
local function contradict_refund(refund)
  local last = redis.call('HGET', names.order .. refund.order, 'saga') or ''
  local paid = string.match(refund.checkouts or '', '[^,]+$')
  for _, id in ipairs({ last, paid }) do
    local saga = load_saga(id)
    if saga then
      contradict(id, saga, TOLD_REFUNDED)
      return { 'contradicted', id, TOLD_REFUNDED, refund.order }
    end
  end
  if paid and paid ~= last then
    contradict_forgotten(paid, { order = refund.order, user = refund.user, total = refund.total }, TOLD_REFUNDED)
  else
    redis.call('SADD', names.contradictions, refund.order)
  end
  return { 'contradicted', paid or last, TOLD_REFUNDED, refund.order }
end
