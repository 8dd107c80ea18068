--- @include "lock"
-- shown_lock(lock, has_waiters, has_history): all that is shown of a lock: itself, those that hold, those that wait if they are wanted, and
-- its last entries if these are.
local function shown_lock(lock, has_waiters, has_history)
  local holders, waiters, history = {}, {}, {}
  for _, id in ipairs(redis.call('ZRANGE', names.lock_ends .. lock.name, 0, -1)) do
    local lease = redis.call('HMGET', key_of_lease(lock, id), 'state', 'owner', 'mode', 'permits', 'metadata', 'token', 'acquired', 'expires')
    if lease[1] == 'held' and tonumber(lease[8]) > now_ms() then
      holders[#holders + 1] = { unpack(lease, 2) }
    end
  end
  if has_waiters then
    for at, id in ipairs(redis.call('ZRANGE', names.lock_queue .. lock.name, 0, -1)) do
      waiters[at] = redis.call('HMGET', key_of_lease(lock, id), 'owner', 'mode', 'permits', 'metadata', 'priority', 'since')
    end
  end
  if has_history then
    for entry in string.gmatch(lock.history, '%S+') do
      history[#history + 1] = redis.call('XRANGE', names.log, entry, entry)[1]
    end
  end
  return { { lock.name, lock.mode, lock.limit, lock.write, integer(lock.delay), integer(lock.delayed), integer(lock.waiting),
    integer(lock.token), integer(now_ms()), redis.call('HGET', names.lock .. lock.name, 'made') or '' }, holders, waiters, history }
end
