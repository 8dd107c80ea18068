--- @include "shown-lock"
-- show-lock: finds how a lock stands.
-- ARGS     lock, seen, waiters (yes or no)
-- RETURNS  shown, lock
--          or in passing: older
commands['show-lock'] = function(args)
  if is_older(args.seen) then
    return { 'older' }, true
  end
  local lock = open_lock(args.lock)
  close_lock(lock)
  return { 'shown', shown_lock(lock, args.waiters == 'yes', true) }
end
