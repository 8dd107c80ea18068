--- @include "books"
--- @include "saga"
-- A wallet is a hash: `credit`, what the user owns, and `held`, the part of it that checkouts have set aside. Held money
-- is still the user's: only capturing takes it. A checkout whose total is there but held by another one can be neither
-- granted nor refused yet, for the other may still fail: it waits in the wallet's queue, `names.waiting`. Whoever lets held
-- money go serves the queue, so nobody waits for a wallet of which nothing is held.

-- wallet(user): credit and held, or nil if there is no such user.
local function wallet(user)
  local found = redis.call('HMGET', names.user .. user, 'credit', 'held')
  if not found[1] then
    return nil
  end
  return tonumber(found[1]), tonumber(found[2] or '0')
end

-- checkout(id): the record of a saga here, or nil.
local function checkout(id)
  local found = redis.call('HMGET', names.saga .. id, 'state', 'order', 'user', 'total', 'lines', 'reason', 'item', 'entries',
    'again')
  if not found[1] then
    return packed_saga(id)
  end
  return {
    state = found[1], order = found[2], user = found[3], total = found[4], lines = found[5],
    reason = found[6], item = found[7], entries = found[8], again = found[9],
  }
end

-- saying(saga): what is said of a saga in its state.
local function saying(saga)
  local facts = 'order=' .. saga.order .. ' user=' .. saga.user .. ' total=' .. saga.total
  if saga.state == 'held' or saga.state == 'captured' then
    return facts .. ' lines=' .. (saga.lines or '')
  elseif saga.state == 'refused' then
    return facts .. ' reason=' .. (saga.reason or '')
  elseif saga.state == 'voided' then
    return facts .. ' reason=' .. (saga.reason or '') .. ' item=' .. (saga.item or '')
  end
  return facts
end

-- look_after(id, saga, told): a hold waits for stock; any other answer is the end here.
local function look_after(id, saga, told)
  if saga.state == 'held' then
    keep_open(id, told)
  else
    finish(id)
  end
end

-- decide(id, saga, state): moves a saga to a state, records it and says so.
local function decide(id, saga, state)
  saga.state = state
  local entries, told = tell(id, says[saga.state], saying(saga), saga.entries)
  local key = names.saga .. id
  if saga.state ~= 'held' and not saga.again and pack_up(id, saga.state, entries) then
    return
  end
  redis.call('HSET', key, 'state', saga.state, 'entries', entries, 'order', saga.order, 'user', saga.user,
    'total', saga.total, 'lines', saga.lines or '')
  if saga.reason then
    redis.call('HSET', key, 'reason', saga.reason, 'item', saga.item or '')
  end
  look_after(id, saga, told)
end

-- answer_again(id, saga): the recorded answer once more.
local function answer_again(id, saga)
  look_after(id, saga, tell_again(id, says[saga.state], saying(saga)))
end

-- repeated(id, saga): the recorded answer once more. One that still waits has none.
local function repeated(id, saga)
  if saga.state ~= 'waiting' then
    answer_again(id, saga)
  end
  return { 'repeated' }
end

-- grant(id, saga, credit, held): holds or refuses on what the wallet owns now; false if that is not decided yet.
local function grant(id, saga, credit, held)
  local total = tonumber(saga.total)
  if not credit then
    saga.reason = 'no-such-user'
    decide(id, saga, 'refused')
  elseif credit < total then
    saga.reason = 'out-of-credit'
    decide(id, saga, 'refused')
  elseif credit - held < total then
    return false
  else
    redis.call('HINCRBY', names.user .. saga.user, 'held', saga.total)
    decide(id, saga, 'held')
  end
  return true
end

-- refund(saga): gives captured money back. A wallet that has no room for it cannot be said what it owns, so that nothing is
-- done: the entry is a dead letter until some of it was spent.
local function refund(saga)
  local credit = wallet(saga.user)
  if credit and credit + tonumber(saga.total) > limits.amount_max then
    error('the wallet of ' .. saga.user .. ' has no room for ' .. saga.total, 0)
  end
  redis.call('HINCRBY', names.user .. saga.user, 'credit', saga.total)
  book('charged', minus(saga.total))
end

-- serve(user): answers those who wait for this wallet, in their order, until one must go on waiting.
local function serve(user)
  local queue = names.waiting .. user
  while true do
    local id = redis.call('LINDEX', queue, 0)
    if not id then
      return
    end
    local saga = checkout(id)
    if saga and saga.state == 'waiting' and not grant(id, saga, wallet(saga.user)) then
      return
    end
    redis.call('LPOP', queue)
  end
end
