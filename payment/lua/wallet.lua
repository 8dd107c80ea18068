--- @include "ledger"
--- @include "saga"
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
  return 0 + found[1], 0 + (found[2] or 0)
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
  local total = 0 + saga.total
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
