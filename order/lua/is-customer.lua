-- is-customer: whether a user is one of those of whom this service knows that payment has them.
-- ABOUT    the user
-- RETURNS  1, or 0
-- WRITES   nothing
queries['is-customer'] = function(user)
  return redis.call('SISMEMBER', names.known_at .. 'payment', user)
end
