--- @include "lock"
-- shown_lock(lock, has_waiters, has_history): all that is shown of a lock: itself, those that hold, those that wait if they are wanted, and
-- its last entries if these are.
local function shown_lock(lock, has_waiters, has_history)
  local holders, waiters, history = {}, {}, {}
  for _, id in ipairs(leases_of(lock)) do
    local lease = load_lease(lock, id)
    if lease.state == 'held' and tonumber(lease.expires) > now_ms() then
      holders[#holders + 1] = { lease.owner, lease.mode, lease.permits, lease.metadata, lease.token, lease.acquired, lease.expires }
    end
  end
  if has_waiters then
    for at, id in ipairs(redis.call('ZRANGE', names.lock_queue .. lock.name, 0, -1)) do
      local lease = load_lease(lock, id)
      waiters[at] = { lease.owner, lease.mode, lease.permits, lease.metadata, lease.priority, lease.since }
    end
  end
  if has_history then
    for entry in string.gmatch(lock.history, '[^,]+') do
      history[#history + 1] = redis.call('XRANGE', names.log, entry, entry)[1]
    end
  end
  return { { lock.name, lock.mode, lock.limit, lock.write, integer(lock.delay), integer(lock.delayed), integer(lock.waiting),
    integer(lock.token), now_text(), lock.made > 0 and integer(lock.made) or '' }, holders, waiters, history }
end
