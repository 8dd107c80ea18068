--- @include "lease"
-- ask-lease: finds how a lease stands. One that waits keeps its place, one that was promoted is claimed.
-- ARGS     lock, lease, seen
-- RETURNS  held, lease | waiting, lease
--          or in passing: ended, lease | unknown | older
commands['ask-lease'] = function(args)
  if is_older(args.seen) then
    return { 'older' }, true
  end
  local lock = open_lock(args.lock)
  local lease = load_lease(lock, args.lease)
  local reply
  if not lease then
    reply = { 'unknown' }
  elseif lease.state == 'ended' then
    reply = shown_end(lease)
  else
    reply = ask(lock, lease)
  end
  close_lock(lock)
  return reply, not lease or lease.state == 'ended'
end
