--- @include "lease"
-- ask-lease: finds how a lease stands. One that waits keeps its place, one that was promoted is claimed.
-- ARGS     lock, lease, seen
-- RETURNS  held, lease | waiting, lease
--          or in passing: ended, lease | unknown | older
commands['ask-lease'] = on_lock(function(lock, args)
  local lease = load_lease(lock, args.lease)
  if not lease then
    return { 'unknown' }, true
  elseif lease.state == 'ended' then
    return shown_end(lease), true
  end
  return ask(lock, lease)
end)
