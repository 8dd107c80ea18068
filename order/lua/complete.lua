--- @include "checkout"
-- complete: the money was captured, so the order is paid. A saga that this service does not know (its Redis came back
-- older) is adopted if the order is open; otherwise it is cancelled, and so is one that was answered with a refusal.
-- FACTS    log_id, order, user, total
-- RETURNS  paid | adopted | cancelled | repeated, each with the outcome
function deeds.complete(facts)
  local id = facts.log_id
  local saga = checkout(id)
  if saga and saga.state == 'checking-out' then
    saga.state = 'paid'
    order_status(id, saga, 'paid')
    speak(id, saga)
    announce(id, saga)
    return outcome('paid', id, saga)
  end
  if saga and saga.state ~= 'failed' then
    return { 'repeated' }
  end
  if not saga then
    saga = { order = facts.order, user = facts.user, total = facts.total, lines = '' }
    redis.call('HSET', names.saga .. id, 'order', saga.order, 'user', saga.user, 'total', saga.total, 'lines', '')
    local key = names.order .. saga.order
    if redis.call('HGET', key, 'status') == 'open' then
      redis.call('HSET', key, 'saga', id, 'status', 'paid')
      saga.state = 'paid'
      speak(id, saga)
      return outcome('adopted', id, saga)
    end
  end
  cancel_checkout(id, saga)
  return outcome('cancelled', id, saga)
end
