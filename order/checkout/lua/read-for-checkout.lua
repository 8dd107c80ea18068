-- read-for-checkout: what a checkout must know of its order before it asks for the lock.
-- ABOUT    the order
-- RETURNS  user (nothing if there is no such order), status, saga (the last one, or nothing), lines
-- WRITES   nothing
queries['read-for-checkout'] = function(order)
  return redis.call('HMGET', names.order .. order, 'user', 'status', 'saga', 'lines')
end
