--- @include "refunds"
-- refunds-of: the refunds of an order, or one of them.
-- ABOUT    the order, and perhaps a refund
-- RETURNS  its user (nothing if there is no such order), and its refunds: each its id, and what is kept of it
-- WRITES   nothing
queries['refunds-of'] = function(about)
  local id, refund = string.match(about, '^(%S+) ?(%S*)$')
  local user = redis.call('HGET', names.order .. id, 'user')
  if refund == '' then
    return { user, redis.call('HGETALL', names.refunds .. id) }
  end
  local text = redis.call('HGET', names.refunds .. id, refund)
  return { user, text and { refund, text } or {} }
end
