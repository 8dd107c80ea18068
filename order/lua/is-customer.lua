-- is-customer: whether it is known here that payment has a user: see customers.lua.
-- ABOUT    the user
-- RETURNS  yes, or nothing
-- WRITES   nothing
queries['is-customer'] = function(user)
  return redis.call('SISMEMBER', names.known_at .. 'payment', user) == 1 and 'yes' or false
end
