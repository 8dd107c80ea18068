--- @include "saga"
-- cancellation: how an order stands that was given up.
-- ABOUT    the order
-- RETURNS  its status (nothing if there is no such order), its version and user, the log id under which it was given up, and why; the
--          entry that says that it is cancelled, as far as that is kept; the refund of all that was left of it, what is
--          kept of that, and the entry that says so, likewise; and how much was refunded of it in all
-- WRITES   nothing
function queries.cancellation(order)
  local found = redis.call('HMGET', names.order .. order, 'status', 'version', 'user', 'give_up', 'why', 'refund',
    'refunded')
  local refund, refunded = found[6], found[7]
  found[6] = found[1] == 'cancelled' and found[4] and redis.call('GET', names.entries .. found[4])
  found[7], found[8] = refund, refund and redis.call('HGET', names.refunds .. order, refund)
  local granted = refund and load_saga(refund)
  found[9] = granted and string.match(granted.entries, '^%S+')
  found[10] = refunded
  return found
end
