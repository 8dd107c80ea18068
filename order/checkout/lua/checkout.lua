--- @include "order"
--- @include "saga"
--- @rarely "cancelled"
--- @rarely "changing"
-- The `status` of an order (see order.lua) is open, submitted, checking-out, paid, cancelling, or for good cancelled or expired, and its
-- `saga` the last checkout of it. A checkout is a saga of its own, with its own record, whose states are
--   submitted     asked for without waiting: nothing was begun, and `names.submitted` has it, scored by when it was submitted
--   checking-out  started; the peers are at work
--   paid          the money was captured: the end
--   failed        refused for credit or for stock, or given up before it was begun: the end; the order is open again
--   cancelling    its deadline passed before an answer, or it was given up by an operator, or with its order: payment undoes
--                 what it did, and has stock undo it
--   closed        payment has undone it: the end; the order is open again
-- The order follows a saga only while the order's `saga` names it. One that would be open again, and was given up or is
-- tried once only, is cancelled. An amendment of a paid order (amendment.lua) is such a saga as well, in the same states: its order is
-- *changing* meanwhile, and paid after any end.

-- order_status(id, saga, status, invoice, note): sets the order's status, if it is this saga's order still, and by which invoice it was
-- paid: what is documented of an earlier payment of it was credited, and is payment's to tell. What will never be paid stays so: but
-- money may prove that an order was paid before it has expired. Returns the order if it is cancelled thereby; `note` is over what was
-- captured and given back; and whether refunds are known that it does not show. One whose amendment is not to be is paid.
local function order_status(id, saga, status, invoice, note)
  if saga.amends then
    rarely.leave_changing(id, saga)
    return nil
  end
  local key = names.order .. saga.order
  local last, version, before, given_up, notes, once, unshown = unpack(redis.call('HMGET', key, 'saga', 'version', 'status',
    'give_up', 'notes', 'once', 'unshown'))
  if last ~= id or before == 'cancelled' or (before == 'expired' and status ~= 'paid') then
    return nil
  end
  if status == 'open' and (given_up or once) then
    if not given_up then
      rarely.give_up(saga.order, once)
    end
    rarely.cancel_order(saga.order, note)
    return saga.order
  end
  if invoice then
    redis.call('HSET', key, 'status', status, 'version', later_version(version),
      'invoices', invoice .. ':' .. saga.total)
  else
    redis.call('HSET', key, 'status', status, 'version', later_version(version))
  end
  if invoice and notes then
    redis.call('HDEL', key, 'notes', 'replaced')
  end
  return nil, unshown
end

-- decision(result, id, saga): what a command returns of a saga: its result, then all that a waiting request needs, and which
-- entry says so; of an amendment also the version that it amends. It is read in `order/commands.ts`.
local function decision(result, id, saga)
  return {
    result, id, saga.state, saga.reason or '', saga.item or '', saga.order, saga.user, saga.token or '', saga.total,
    last_entry(saga.entries), saga.amends or nil,
  }
end

-- announce(id, saga): wakes the request that waits for this saga, in whichever replica it waits. A replica that is the only
-- one learns of it by the reply of this script.
local subscribers
local function announce(id, saga)
  subscribers = subscribers or redis.call('PUBSUB', 'NUMSUB', names.outcomes)[2]
  if subscribers < 2 then
    return
  end
  redis.call('PUBLISH', names.outcomes, table.concat({ id, saga.state, saga.reason or '', saga.item or '', saga.order,
    saga.user, saga.total, last_entry(saga.entries), saga.amends or nil }, ' '))
end

-- leave_submitted(id, saga): a checkout waits no more to be begun, if it did.
local function leave_submitted(id, saga)
  if saga.state == 'submitted' then
    redis.call('ZREM', names.submitted, id)
  end
end
