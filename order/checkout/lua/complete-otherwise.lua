--- @include "amendment"
--- @include "documents"
--- @include "paid"
--- @include "rebuild"
--- @include "undone"
-- amend_paid(id, saga): makes an order what its amendment says, which is paid. What left with it may be refunded already, where that was
-- known before.
function rarely.amend_paid(id, saga)
  amend(id, saga, order_for_refund(saga.order))
  credit_again(saga.order, id .. BACK)
end

-- adopt_amendment(id, saga): has an order wait for an amendment once more that can have been made from it as it is, and that this service
-- has forgotten; instead of another one that is under way, of which no client was answered the end yet. False if it cannot.
local function adopt_amendment(id, saga)
  local order = order_for_refund(saga.order)
  if not order or not can_amend(order, saga) then
    return false
  end
  local key = names.order .. saga.order
  if order.status == 'changing' then
    local other = redis.call('HGET', key, 'amendment')
    cancel_checkout(other, load_saga(other), 'deadline')
  end
  redis.call('HSET', key, 'status', 'changing', 'amendment', id)
  saga.deadline = integer(now_ms())
  emit_saga(id, saga, 'checking-out')
  return true
end

-- is_overtaken(id, saga): whether an order is not any more what its amendment was made from: a refund was forgotten, and is known again.
local function is_overtaken(id, saga)
  local key = names.order .. saga.order
  local status, amendment = unpack(redis.call('HMGET', key, 'status', 'amendment'))
  return status ~= 'changing' or amendment ~= id or not is_whole(order_for_refund(saga.order))
end

-- adopt(id, saga): makes the order what was charged and taken: also one that is gone, that has lost lines, or that is
-- being checked out again, of which no client was answered the end yet and which is given up. False if it cannot be. It emits
-- again how the checkout began, so that this log proves all of it, should the peers lose it next. When a gone order was made is
-- unknown, and so is what its lines cost if they are others than they were sold, unless there is only one.
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
    local only = string.match(saga.lines, '^([^:,]+):%d+$')
    if only then
      redis.call('HSET', key, 'costs', only .. ':' .. saga.total)
    end
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
  return (last == id and was_paid(status, refunded, undone)) or has_amended(order, id)
end

-- show_paid(id, saga): a checkout is about to be paid. If a client was told that before, it contradicts nothing any more; but if its order
-- does not show all that was refunded (yet), that does.
local function show_paid(id, saga)
  if not saga.contradicted or contradicted_by(id) ~= TOLD_PAID then
    return
  end
  resolve_contradiction(id, saga, 'shown', '')
  local is_listed = redis.call('SISMEMBER', names.contradictions, saga.order) == 1
  if not is_listed and redis.call('EXISTS', names.unshown .. saga.order) == 1 then
    redis.call('HDEL', names.saga .. id, 'contradicted')
    contradict(id, saga, TOLD_REFUNDED)
  end
end

-- as_told(id, saga, args): what payment tells of a saga that is unknown here, or of which this is all that is known.
local function as_told(id, saga, args)
  local told = saga or {}
  told.order, told.user, told.total, told.lines = args.order, args.user, args.total, args.lines
  told.amends, told.back, told.costs, told.reason = args.amends, args.back, args.costs, nil
  if saga then
    redis.call('HDEL', names.saga .. id, 'reason')
  end
  return told
end

-- complete_otherwise(id, saga, args): the same of what is an amendment, or no checkout that is under way.
function rarely.complete_otherwise(id, saga, args)
  if saga and saga.state == 'submitted' then
    leave_submitted(id, saga)
    emit_saga(id, saga, 'checking-out')
  end
  if saga and saga.state == 'checking-out' and saga.amends and is_overtaken(id, saga) then
    cancel_checkout(id, saga, 'deadline')
    return decision('cancelled', id, saga)
  end
  if saga and saga.state == 'checking-out' then
    show_paid(id, saga)
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
  if not saga or is_forgotten(id, saga) then
    saga = as_told(id, saga, args)
    adopted = (saga.amends and adopt_amendment or adopt)(id, saga)
  end
  if adopted then
    show_paid(id, saga)
    pay_order(id, saga, args.invoice)
    rarely.show_refunds(saga.order)
    return decision('adopted', id, saga)
  end
  cancel_checkout(id, saga, 'deadline')
  if saga.amends then
    rarely.show_refunds(saga.order)
  end
  return decision('cancelled', id, saga)
end
