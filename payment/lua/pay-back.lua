--- @include "places"
--- @include "series"
--- @include "wallet"
-- pay_back(id, saga, total, lines): gives captured money back, and issues the credit note over it, which names the invoices that it takes
-- back. Of a wallet that has no room for it, what it owns could not be counted, so that nothing is done: the entry is a dead letter until
-- some of it was spent.
local function pay_back(id, saga, total, lines)
  local credit = wallet(saga.user)
  if credit and credit + tonumber(total) > limits.amount_max then
    error('the wallet of ' .. saga.user .. ' has no room for ' .. total, 0)
  end
  redis.call('HINCRBY', names.user .. saga.user, 'credit', total)
  post('charged', minus(total))
  if moves_money(saga) then
    saga.note = issue('credit_notes', id, {
      order = saga.order, user = saga.user, total = total, lines = lines, invoice = saga.invoice,
    })
  end
end

-- undo_capture(id, saga): gives back what a checkout has captured, but for what was refunded of it before.
local function undo_capture(id, saga)
  if not saga.refunded then
    pay_back(id, saga, saga.total, saga.lines)
  elseif saga.refunded ~= saga.total then
    pay_back(id, saga, integer(tonumber(saga.total) - tonumber(saga.refunded)), '')
  end
end

-- checkouts_of(invoices): for which checkouts these were issued, as far as they are here; nil if none is.
local function checkouts_of(invoices)
  local ids = {}
  for invoice in string.gmatch(invoices or '', '[^,]+') do
    ids[#ids + 1] = checkout_of(invoice)
  end
  return ids[1] and table.concat(ids, ',')
end

-- capturable: the states of a checkout that was captured, or may be still.
local capturable = { captured = true, held = true, waiting = true }

-- remember_refunded(refund, checkouts, total): so much of what was captured for these is refunded, so that it is not given back
-- once more: of the first as much as there is, then of the next. What was refunded twice, because a Redis came back older, counts
-- as the whole. One that is to be captured anew may be so only after its refund is known again: if it waits, it tells stock of
-- that once its money is held. Returns those for which nothing is captured or held, as far as they are known here; nil if there
-- is none.
local function remember_refunded(refund, checkouts, total)
  local left, unpaid = tonumber(total), {}
  for id in string.gmatch(checkouts or '', '[^,]+') do
    local saga = load_saga(id)
    if saga and saga.state ~= 'captured' and saga.state ~= 'held' then
      unpaid[#unpaid + 1] = id
    end
    local changed = false
    if saga and saga.state == 'waiting' then
      saga.refunds = saga.refunds and saga.refunds .. ',' .. refund or refund
      changed = true
    end
    if saga and capturable[saga.state] and left > 0 then
      local before = tonumber(saga.refunded or '0')
      local after = math.min(tonumber(saga.total), before + left)
      if after > before then
        left = left - (after - before)
        saga.refunded = integer(after)
        changed = true
      end
    end
    if changed then
      store_saga(id, saga)
    end
  end
  return unpaid[1] and table.concat(unpaid, ',')
end

-- forget_refunded(id, saga): nothing was captured for a checkout that is let go, so that nothing of that was refunded.
local function forget_refunded(id, saga)
  if saga.refunded and saga.state ~= 'captured' and saga.state ~= 'voided' then
    saga.refunded = nil
    redis.call('HDEL', names.saga .. id, 'refunded')
  end
end
