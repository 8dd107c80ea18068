--- @include "order"
--- @include "single"
-- An order that is cancelled is never paid, and stays so. It is first *given up*, under the log id of the cancellation (`give_up`) and
-- perhaps with a reason (`why`); it is cancelled at once if no checkout of it is under way, else as soon as that is undone.
-- What was left of one that was paid goes back by a refund (`refund`).

-- give_up(order, id, why): gives an order up. The first cancellation counts. Returns whether this was it.
function rarely.give_up(order, id, why)
  local key = names.order .. order
  lasting()
  local is_first = redis.call('HSETNX', key, 'give_up', id) == 1
  if is_first and why then
    redis.call('HSET', key, 'why', why)
  end
  return is_first
end

-- given_up(order, user, why): what an entry tells of that.
local function given_up(order, user, why)
  local payload = { 'order', order, 'user', user }
  if why then
    payload[5], payload[6] = 'why', why
  end
  return payload
end

-- announce_cancelled(order): wakes the requests that wait for this, in whichever replica they wait.
local subscribers_of_cancellations
local function announce_cancelled(order)
  subscribers_of_cancellations = subscribers_of_cancellations
    or redis.call('PUBSUB', 'NUMSUB', names.cancellations)[2]
  if subscribers_of_cancellations > 1 then
    redis.call('PUBLISH', names.cancellations, order)
  end
end

-- cancel_order(order, note): cancels an order that was given up. What was captured for it was given back, if there is a credit note over
-- that: the draft of its invoice was issued then, so that none is left to be void, nor to be shown.
function rarely.cancel_order(order, note)
  local key = names.order .. order
  local user, version, id, why, refunded = unpack(redis.call('HMGET', key, 'user', 'version', 'give_up', 'why', 'refunded'))
  redis.call('HSET', key, 'status', 'cancelled', 'version', later_version(version))
  local payload = given_up(order, user, why)
  if note then
    payload[#payload + 1], payload[#payload + 2] = 'note', note
    redis.call('HDEL', key, 'billed', 'draft')
  end
  if refunded then
    payload[#payload + 1], payload[#payload + 2] = 'refunded', refunded
  end
  emit_single('OrderCancelled', id, payload)
  announce_cancelled(order)
end
