--- @include "lock"
-- check-token: whether the lease with a token still holds.
-- ARGS     lock, token, seen
-- RETURNS  holds, mode, owner, rest
--          or in passing: ended, newest | older
commands['check-token'] = function(args)
  if is_older(args.seen) then
    return { 'older' }, true
  end
  local lock = open_lock(args.lock)
  close_lock(lock)
  for _, id in ipairs(redis.call('ZRANGE', names.lock_ends .. lock.name, 0, -1)) do
    local lease = redis.call('HMGET', key_of_lease(lock, id), 'state', 'token', 'mode', 'owner', 'expires')
    if lease[1] == 'held' and lease[2] == args.token then
      return { 'holds', lease[3], lease[4], integer(tonumber(lease[5]) - now_ms()) }
    end
  end
  return { 'ended', integer(lock.is_there and lock.token or least_token()) }, true
end
