--- @include "shown-lock"
-- show-lock: finds how a lock stands.
-- ARGS     lock, seen, waiters (yes or no)
-- RETURNS  shown, lock
--          or in passing: older
commands['show-lock'] = on_lock(function(lock, args)
  return { 'shown', shown_lock(lock, args.waiters == 'yes', true) }
end)
