-- show-credit: what a user owns.
-- ABOUT    the user
-- RETURNS  the credit; nothing if there is no such user
-- WRITES   nothing
queries['show-credit'] = function(user)
  return redis.call('HGET', names.user .. user, 'credit')
end
