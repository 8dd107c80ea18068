--- @include "ledger"
--- @include "places"
--- @include "saga"
--- @include "series"
-- A wallet is a hash: `credit`, what the user owns, and `held`, the part of it that checkouts have set aside. Held money
-- is still the user's: only capturing takes it. A checkout whose total is there but held by another one can be neither
-- granted nor refused yet, for the other may still fail: it waits in the wallet's queue, `names.waiting`. A command that lets held
-- money go serves the queue, so none waits for a wallet of which nothing is held.

-- wallet(user): credit and held, or nil if there is no such user.
local function wallet(user)
  local found = redis.call('HMGET', names.user .. user, 'credit', 'held')
  if not found[1] then
    return nil
  end
  return tonumber(found[1]), tonumber(found[2] or '0')
end

-- repeated(id, saga): the recorded answer once more. One that still waits has none.
local function repeated(id, saga)
  if saga.state ~= 'waiting' then
    emit_again(id, saga)
  end
  return { 'repeated' }
end

-- grant(id, saga, credit, held): holds or refuses on what the wallet owns now; false if that is not decided yet.
local function grant(id, saga, credit, held)
  local total = tonumber(saga.total)
  if not credit then
    saga.reason = 'no-such-user'
    emit_saga(id, saga, 'refused')
  elseif credit < total then
    saga.reason = 'out-of-credit'
    emit_saga(id, saga, 'refused')
  elseif credit - held < total then
    return false
  else
    redis.call('HINCRBY', names.user .. saga.user, 'held', saga.total)
    emit_saga(id, saga, 'held')
  end
  return true
end

-- moves_money(saga): whether there is a document over what is captured or paid back: not over nothing, where an order was amended.
local function moves_money(saga)
  return not saga.amends or saga.total ~= '0'
end

-- pay_back(id, saga, total, lines): gives captured money back, and issues the credit note over it, which takes back the last invoice. Of a
-- wallet that has no room for it, what it owns could not be counted, so that nothing is done: the entry is a dead letter until some of it
-- was spent.
local function pay_back(id, saga, total, lines)
  local credit = wallet(saga.user)
  if credit and credit + tonumber(total) > limits.amount_max then
    error('the wallet of ' .. saga.user .. ' has no room for ' .. total, 0)
  end
  redis.call('HINCRBY', names.user .. saga.user, 'credit', total)
  post('charged', minus(total))
  if moves_money(saga) then
    saga.note = issue('credit_notes', id, {
      order = saga.order, user = saga.user, total = total, lines = lines,
      invoice = saga.invoice and string.match(saga.invoice, '^[^,]+'),
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

-- remember_refunded(invoices, total): so much of what was captured with these invoices is refunded, so that it is not given back once
-- more: of the first as much as there is, then of the next. What was refunded twice, because a Redis came back older, counts as the whole.
local function remember_refunded(invoices, total)
  local left = tonumber(total)
  for invoice in string.gmatch(invoices or '', '[^,]+') do
    local id = checkout_of(invoice)
    local saga = id and load_saga(id)
    if saga and saga.state == 'captured' and left > 0 then
      local before = tonumber(saga.refunded or '0')
      local after = math.min(tonumber(saga.total), before + left)
      left = left - (after - before)
      saga.refunded = integer(after)
      store_saga(id, saga)
    end
  end
end

-- serve(user): answers the checkouts that wait for this wallet, in their order, until one must go on waiting.
local function serve(user)
  local queue = names.waiting .. user
  while true do
    local id = redis.call('LINDEX', queue, 0)
    if not id then
      return
    end
    local saga = load_saga(id)
    if saga and saga.state == 'waiting' and not grant(id, saga, wallet(saga.user)) then
      return
    end
    redis.call('LPOP', queue)
  end
end
