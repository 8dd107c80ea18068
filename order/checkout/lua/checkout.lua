--- @include "saga"
-- An order is a hash: `user`, `status` (open, checking-out, paid, cancelling), `saga`, the last checkout of it, `total`
-- and `lines`. A checkout is a saga of its own, with its own record, whose states are
--   checking-out  started; the peers are at work
--   paid          the money was captured: the end
--   failed        refused for credit or for stock: the end; the order is open again
--   cancelling    its deadline passed before an answer, or an operator gave it up: payment undoes what it did, and has
--                 stock undo it
--   closed        payment has undone it: the end; the order is open again
-- The order follows a saga only while the order's `saga` names it.

-- checkout(id): the record of a saga, or nil.
local function checkout(id)
  local found = redis.call('HMGET', names.saga .. id, 'state', 'order', 'user', 'total', 'lines', 'deadline', 'token',
    'reason', 'item', 'entries', 'previous', 'again')
  if not found[1] then
    local saga = packed_saga(id)
    if saga then
      saga.is_packed = true
    end
    return saga
  end
  return {
    state = found[1], order = found[2], user = found[3], total = found[4], lines = found[5], deadline = found[6],
    token = found[7] or '', reason = found[8] or '', item = found[9] or '', entries = found[10],
    previous = found[11], again = found[12],
  }
end

-- money(saga): whose money it is about, as every entry of a checkout says it.
local function money(saga)
  return 'order=' .. saga.order .. ' user=' .. saga.user .. ' total=' .. saga.total
end

-- When checkouts that are not decided are late: what the script has changed of that, by their ids.
local late_from = {}
gathered[#gathered + 1] = function()
  local set, unset = {}, {}
  for id, deadline in pairs(late_from) do
    if deadline then
      set[#set + 1] = deadline
      set[#set + 1] = id
    else
      unset[#unset + 1] = id
    end
  end
  if #set > 0 then
    redis.call('ZADD', names.deadlines, unpack(set))
  end
  if #unset > 0 then
    redis.call('ZREM', names.deadlines, unpack(unset))
  end
end

-- can_be_packed(saga): whether its entries tell all that is needed of it. None tells who cancelled it, or which checkout of
-- its order was the one before.
local function can_be_packed(saga)
  return (saga.state == 'paid' or saga.state == 'failed') and (saga.previous or '') == '' and not saga.again
end

-- put_apart(id, saga): makes a record of its own of one that is packed.
local function put_apart(id, saga)
  if saga.is_packed then
    saga.is_packed = nil
    take_out(id, saga)
  end
end

-- saying(saga): what is said of a saga in its state.
local function saying(saga)
  local facts = money(saga)
  if saga.state == 'checking-out' then
    return facts .. ' lines=' .. (saga.lines or '') .. ' deadline=' .. saga.deadline
  elseif saga.state == 'failed' then
    return facts .. ' reason=' .. (saga.reason or '') .. ' item=' .. (saga.item or '')
  end
  return facts
end

-- speak(id, saga, more): says what the state of a saga stands for, and records it with more fields and values, if any.
-- Returns the list of its entries.
local function speak(id, saga, more)
  local entries, told = tell(id, says[saga.state], saying(saga), saga.entries)
  saga.entries = entries
  late_from[id] = saga.state == 'checking-out' and saga.deadline
  if can_be_packed(saga) and pack_up(id, saga.state, entries) then
    saga.is_packed = true
    return entries
  end
  put_apart(id, saga)
  redis.call('HSET', names.saga .. id, 'state', saga.state, 'entries', entries, unpack(more or {}))
  if saga.state == 'checking-out' or saga.state == 'cancelling' then
    keep_open(id, told)
  else
    finish(id)
  end
  return entries
end

-- order_status(saga, status): sets the order's status, if it is this saga's order still.
local function order_status(id, saga, status)
  local key = names.order .. saga.order
  if redis.call('HGET', key, 'saga') == id then
    redis.call('HSET', key, 'status', status)
  end
end

-- decision(word, id, saga): what a command returns of a saga: its word, then all that whoever waits for it needs, and which entry
-- says so. It is read in `order/commands.ts`.
local function decision(word, id, saga)
  return {
    word, id, saga.state, saga.reason or '', saga.item or '', saga.order, saga.user, saga.token or '', saga.total,
    last_entry(saga.entries),
  }
end

-- announce(id, saga): wakes the request that waits for this saga, in whichever replica it waits. A replica that is the only
-- one is told by the reply of this script.
local hearers
local function announce(id, saga)
  hearers = hearers or redis.call('PUBSUB', 'NUMSUB', names.outcomes)[2]
  if hearers < 2 then
    return
  end
  redis.call('PUBLISH', names.outcomes, table.concat({ id, saga.state, saga.reason or '', saga.item or '', saga.order,
    saga.user, saga.total, last_entry(saga.entries) }, ' '))
end

-- cancel_checkout(id, saga, reason): decides that the checkout is not to be, and has payment undo it.
local function cancel_checkout(id, saga, reason)
  saga.state = 'cancelling'
  saga.reason = reason
  order_status(id, saga, 'cancelling')
  speak(id, saga, { 'reason', saga.reason })
  announce(id, saga)
end

-- is_undone(by): whether by this contradiction payment has given the money back, or never took it: then stock has heard it,
-- too. By the other one, payment and stock are of one mind with order, and only who was told so is not.
local function is_undone(by)
  return string.sub(by, 1, 5) ~= 'told-'
end

-- contradict(id, saga, by): a Redis has lost what was decided, and nothing can make both true: payment refuses or undid what
-- was paid (`by` says why, in its word), or somebody was told another end (`told-` and what). The checkout stays as it is
-- and its order is listed by name, once, until a person has resolved it; so long its record is kept.
local function contradict(id, saga, by)
  local key = names.saga .. id
  local before = redis.call('HGET', key, 'contradicted')
  if before and (is_undone(before) or not is_undone(by)) then
    return { 'repeated' }
  end
  put_apart(id, saga)
  redis.call('SADD', names.contradictions, saga.order)
  local entries = tell(id, says.contradicted, money(saga) .. ' by=' .. by, saga.entries)
  redis.call('HSET', key, 'entries', entries, 'contradicted', by)
  redis.call('HDEL', key, 'resolved')
  return { 'contradicted', id, by, saga.order }
end
