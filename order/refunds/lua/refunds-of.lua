--- @include "refunds"
-- refunds-of: the refunds of an order, or one of them.
-- ABOUT    the order, and perhaps a refund
-- RETURNS  its status (nothing if there is no such order), and its refunds: each its id, and what is kept of it
-- WRITES   nothing
queries['refunds-of'] = function(about)
  local id, refund = string.match(about, '^(%S+) ?(%S*)$')
  local status = redis.call('HGET', names.order .. id, 'status')
  if refund == '' then
    return { status, redis.call('HGETALL', names.refunds .. id) }
  end
  local text = redis.call('HGET', names.refunds .. id, refund)
  return { status, text and { refund, text } or {} }
end
