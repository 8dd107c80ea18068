--- @include "lock"
-- tick-locks: does what is due by time: ends leases and waits, promotes, and forgets locks that are idle for long.
-- ARGS     seen, most
-- RETURNS  ticked, rest, now (in how many ms something is due, '' if nothing is; and what time it is)
--          or in passing: older

-- end_bar(): one that is over is none any more, however far the clock is set back later.
local function end_bar()
  if barred_until() > 0 and barred_until() <= now_ms() then
    barred = 0
    redis.call('HDEL', names.locks_state, 'barred', 'barred_for', 'lost')
    lasting()
  end
end

commands['tick-locks'] = function(args)
  if is_older(args.seen) then
    return { 'older' }, 'unsaid'
  end
  end_bar()
  local now = now_text()
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', names.locks_due, '-inf', now, 'LIMIT', 0, args.most)) do
    local lock = open_lock(name)
    close_lock(lock)
    if not lock.changed then
      index(names.locks_due, name, integer(next_due(lock)))
    end
  end
  local idle_since = integer(now_ms() - limits.lock_idle_ms)
  local idle = redis.call('ZRANGEBYSCORE', names.locks_free, '-inf', idle_since, 'LIMIT', 0, args.most)
  forget(idle)
  write_index()
  if #idle == tonumber(args.most) then
    return { 'ticked', '0', now }
  end
  local first = redis.call('ZRANGE', names.locks_due, 0, 0, 'WITHSCORES')[2]
  return { 'ticked', first and integer(math.max(0, tonumber(first) - now_ms())) or '', now }
end
