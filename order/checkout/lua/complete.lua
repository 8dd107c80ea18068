--- @include "checkout"
--- @include "ledger"
-- complete: the money was captured, so the order is paid. A saga that this service does not know (its Redis came back
-- older) is adopted, for it was charged and taken, and its client may have been answered so; it is cancelled if the order was
-- paid by another, or is given up, or if it is unknown what is in it, and so is a saga that was answered with a refusal. Of one that is
-- submitted here, it was lost that it was begun: that is emitted again.
-- ARGS     log_id, order, user, total, lines, invoice (these two not in entries of older versions)
-- RETURNS  paid, decision | adopted, decision | cancelled, decision | repeated

-- pay_order(id, saga, invoice): the checkout has ended well.
local function pay_order(id, saga, invoice)
  saga.invoice = invoice
  order_status(id, saga, 'paid', invoice)
  post('paid', saga.total)
  post_lines('sold', 1, saga.lines)
  emit_saga(id, saga, 'paid')
  announce(id, saga)
end

-- adopt(id, saga): makes the order what was charged and taken: also one that is gone, that has lost lines, or that is
-- being checked out again, of which no client was answered the end yet and which is given up. False if it cannot be. It emits
-- again how the checkout began, so that this log proves all of it, should the peers lose it next. When a gone order was made is
-- unknown, and so is what its lines cost if they are others than they were sold.
local function adopt(id, saga)
  local key = names.order .. saga.order
  local order = redis.call('HMGET', key, 'status', 'saga', 'lines', 'user', 'total', 'number', 'give_up')
  local status, other, lines, user, total, number, given_up = unpack(order)
  saga.lines = saga.lines or lines
  if status == 'paid' or given_up or not saga.lines then
    return false
  end
  if status == 'checking-out' then
    cancel_checkout(other, load_saga(other), 'deadline')
  elseif status == 'submitted' then
    withdraw(other, load_saga(other), 'deadline')
  end
  redis.call('HSET', key, 'user', saga.user, 'saga', id, 'total', saga.total, 'lines', saga.lines)
  if lines ~= saga.lines or total ~= saga.total then
    redis.call('HDEL', key, 'costs')
  end
  if user ~= saga.user then
    number = number or integer(next_numbers(1))
    redis.call('HSET', key, 'number', number)
    list_order(saga.order, saga.user, number, user)
  end
  saga.previous = other ~= id and other or ''
  saga.deadline = integer(now_ms())
  emit_saga(id, saga, 'checking-out')
  return true
end

-- is_paid_by(order, id): whether it shows that this checkout has paid it, also if its record has ended since.
local function is_paid_by(order, id)
  local last, status, refunded, undone = unpack(redis.call('HMGET', names.order .. order, 'saga', 'status', 'refunded',
    'undone'))
  return last == id and was_paid(status, refunded, undone)
end

function commands.complete(args)
  local id = args.log_id
  local saga = load_saga(id)
  if saga and saga.state == 'submitted' then
    leave_submitted(id, saga)
    emit_saga(id, saga, 'checking-out')
  end
  if saga and saga.state == 'checking-out' then
    pay_order(id, saga, args.invoice)
    return decision('paid', id, saga)
  end
  if saga and saga.state ~= 'failed' then
    renumber(id, saga, args.invoice)
    return { 'repeated' }
  end
  if not saga and is_paid_by(args.order, id) then
    return { 'repeated' }
  end
  local adopted = false
  if not saga then
    saga = { order = args.order, user = args.user, total = args.total, lines = args.lines }
    adopted = adopt(id, saga)
  end
  if adopted then
    pay_order(id, saga, args.invoice)
    return decision('adopted', id, saga)
  end
  cancel_checkout(id, saga, 'deadline')
  return decision('cancelled', id, saga)
end
