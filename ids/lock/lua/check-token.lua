--- @include "lock"
-- check-token: whether the lease with a token still holds.
-- ARGS     lock, token, seen
-- RETURNS  holds, mode, owner, rest
--          or in passing: ended, newest | older
commands['check-token'] = on_lock(function(lock, args)
  for _, id in ipairs(leases_of(lock)) do
    local lease = load_lease(lock, id)
    if lease.state == 'held' and lease.token == args.token then
      return { 'holds', lease.mode, lease.owner, integer(tonumber(lease.expires) - now_ms()) }
    end
  end
  return { 'ended', integer(lock.is_there and lock.token or least_token()) }, true
end)
