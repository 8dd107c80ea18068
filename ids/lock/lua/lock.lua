--- @include "entry-id"
--- @include "log"
-- A lock and its leases. Texts of clients (names, owners) are percent-encoded: no value of an entry holds a blank.
--
-- names.lock{lock}, a hash: `token` the last that was given · `mode` of those that hold · `count` of them · `used` permits ·
--   `waiting` how many wait · `limit` of permits in effect · `fixed`, `write`, `delay` as it is configured · `delayed` until when
--   nobody gets it · `made` when it was configured first · `arrivals` since it was idle · `mean` how long leases were held lately, in ms · `history` its last entries
-- names.lock_ends{lock}, a sorted set: each lease that holds or waits, by the moment at which time ends it
-- names.lock_queue{lock}, a sorted set: each lease that waits, by priority, then arrival
-- names.lock_lease{lease}:{lock}, a hash: a lease that holds, waits, or has ended a while ago
-- names.locks, a sorted set: every lock there is, by name · names.locks_due: each in use, by when it is to be looked at next ·
--   names.locks_free: each idle one, since when · names.locks_state, a hash: see bar-locks.lua
--
-- Each verb opens its lock, which ends what time has ended and promotes those whose turn it is, and closes it, which writes what changed.

-- is_older(seen): whether this Redis lacks an entry that the caller has seen, so that it came back older.
local sound = ''
local function is_older(seen)
  if seen == sound or seen == '' then
    return false
  end
  if #redis.call('XRANGE', names.log, seen, seen) == 0 then
    local trimmed = redis.call('GET', names.trimmed)
    local ms, sequence = position(seen)
    if not trimmed or later(ms, sequence, position(trimmed)) then
      return true
    end
  end
  sound = seen
  return false
end

-- barred_until(): until when nobody is granted anything. least_token(): no token is given below the next one to it.
local barred, floor
local function load_state()
  if not barred then
    local found = redis.call('HMGET', names.locks_state, 'barred', 'floor')
    barred, floor = tonumber(found[1] or '0'), tonumber(found[2] or '0')
  end
end
local function barred_until()
  load_state()
  return barred
end
local function least_token()
  load_state()
  return floor
end

-- load_lock(name): what is recorded of it; one that is not there is free.
local function load_lock(name)
  local found = redis.call('HMGET', names.lock .. name, 'token', 'mode', 'count', 'used', 'waiting', 'limit', 'fixed',
    'write', 'delay', 'delayed', 'arrivals', 'mean', 'history')
  local count, waiting = tonumber(found[3] or '0'), tonumber(found[5] or '0')
  return {
    name = name, is_there = found[1] ~= false, was_idle = count + waiting == 0,
    token = tonumber(found[1] or '0'), mode = found[2] or '', count = count, used = tonumber(found[4] or '0'),
    waiting = waiting, limit = found[6] or '', fixed = found[7] or '', write = found[8] or '',
    delay = tonumber(found[9] or '0'), delayed = tonumber(found[10] or '0'), arrivals = tonumber(found[11] or '0'),
    mean = tonumber(found[12] or '0'), history = found[13] or '',
  }
end

local function key_of_lease(lock, id)
  return names.lock_lease .. id .. ':' .. lock.name
end

-- load_lease(lock, id): what is recorded of it, or nil.
local function load_lease(lock, id)
  local found = redis.call('HGETALL', key_of_lease(lock, id))
  if #found == 0 then
    return nil
  end
  local lease = { id = id }
  for at = 1, #found, 2 do
    lease[found[at]] = found[at + 1]
  end
  return lease
end

-- emit_lock(lock, kind, log_id, facts, is_history): appends an entry about a lock.
local function emit_lock(lock, kind, log_id, facts, is_history)
  local entry, text = append(kind, log_id, 'lock=' .. lock.name .. ' ' .. facts)
  appended = { entry, { kind, text } }
  lock.changed, lock.entry = true, entry
  if is_history then
    local last = string.match(lock.history, '%S+ %S+ %S+ %S+ %S+ %S+ %S+$') or lock.history
    lock.history = last == '' and entry or last .. ' ' .. entry
  end
end

local function facts_of(lease)
  return 'mode=' .. lease.mode .. ' owner=' .. lease.owner .. ' token=' .. lease.token .. ' permits=' .. lease.permits
end

-- is_open(lock): whether anybody may get it now, as far as time says.
local function is_open(lock)
  return lock.delayed <= now_ms() and barred_until() <= now_ms()
end

-- fits(lock, lease): whether it may hold beside those that do.
local function fits(lock, lease)
  if lock.count == 0 then
    return true
  end
  if lock.count >= limits.lock_holders or lease.mode ~= lock.mode or lease.mode == 'exclusive' then
    return false
  end
  return lease.mode ~= 'permit' or lock.used + tonumber(lease.permits) <= tonumber(lock.limit)
end

-- grant(lock, lease, is_claimed): makes a lease that fits hold. One that is promoted is not claimed until it is asked for.
local function grant(lock, lease, is_claimed)
  local now = now_ms()
  local token = math.max(lock.token + 1, least_token() + 1, now - limits.first_token_ms)
  local expires = now + tonumber(lease.ttl)
  lock.token, lock.count, lock.mode = token, lock.count + 1, lease.mode
  lock.used = lock.used + tonumber(lease.permits)
  lease.state, lease.token, lease.acquired, lease.expires = 'held', integer(token), integer(now), integer(expires)
  lease.claimed = is_claimed and '1' or '0'
  redis.call('HSET', key_of_lease(lock, lease.id), 'state', 'held', 'request', lease.request, 'mode', lease.mode, 'permits', lease.permits,
    'ttl', lease.ttl, 'owner', lease.owner, 'metadata', lease.metadata, 'delay', lease.delay, 'priority', lease.priority,
    'token', lease.token, 'acquired', lease.acquired, 'expires', lease.expires, 'claimed', lease.claimed)
  local ends = is_claimed and expires or math.min(expires, now + limits.lock_unclaimed_ms)
  redis.call('ZADD', names.lock_ends .. lock.name, integer(ends), lease.id)
  emit_lock(lock, 'LockGranted', lease.id, facts_of(lease) .. ' until=' .. lease.expires, true)
end

-- promote(lock): lets those at the head of the queue hold that may. Returns their tokens.
local function promote(lock)
  local promoted = {}
  while lock.waiting > 0 and is_open(lock) do
    local id = redis.call('ZRANGE', names.lock_queue .. lock.name, 0, 0)[1]
    local lease = load_lease(lock, id)
    if not fits(lock, lease) then
      break
    end
    redis.call('ZREM', names.lock_queue .. lock.name, id)
    lock.waiting = lock.waiting - 1
    grant(lock, lease, false)
    promoted[#promoted + 1] = lease.token
  end
  return promoted
end

-- remember_end(lock, id, ended, kept_ms, request): for a while it is remembered how a lease has ended.
local function remember_end(lock, id, ended, kept_ms, request)
  local key = key_of_lease(lock, id)
  redis.call('DEL', key)
  redis.call('HSET', key, 'state', 'ended', 'ended', ended, 'at', integer(now_ms()), 'request', request)
  redis.call('PEXPIRE', key, kept_ms)
end

local KIND_OF_END = { released = 'LockReleased', expired = 'LockExpired', unclaimed = 'LockExpired', forced = 'LockForced' }

-- end_holding(lock, lease, why): a lease holds no longer. One that has expired, or was forced, delays the lock if it wants that.
local function end_holding(lock, lease, why)
  local now = now_ms()
  lock.count, lock.used = lock.count - 1, lock.used - tonumber(lease.permits)
  if lock.count == 0 then
    lock.mode = ''
  end
  local held = math.max(0, now - tonumber(lease.acquired))
  lock.mean = lock.mean == 0 and held or math.floor((3 * lock.mean + held) / 4)
  redis.call('ZREM', names.lock_ends .. lock.name, lease.id)
  remember_end(lock, lease.id, why, limits.lock_ended_ms, lease.request)
  local facts = facts_of(lease)
  if why == 'expired' or why == 'unclaimed' then
    facts = facts .. ' why=' .. why
  end
  if lease.delay ~= '0' and (why == 'expired' or why == 'forced') then
    local since = why == 'expired' and tonumber(lease.expires) or now
    lock.delayed = math.max(lock.delayed, since + tonumber(lease.delay))
    facts = facts .. ' delayed=' .. integer(lock.delayed)
  end
  emit_lock(lock, KIND_OF_END[why], lease.id, facts, true)
end

-- end_waiting(lock, lease, why): a lease waits no longer.
local function end_waiting(lock, lease, why)
  lock.waiting = lock.waiting - 1
  redis.call('ZREM', names.lock_queue .. lock.name, lease.id)
  redis.call('ZREM', names.lock_ends .. lock.name, lease.id)
  remember_end(lock, lease.id, why, limits.lock_ended_ms, lease.request)
  emit_lock(lock, 'LockWaitEnded', lease.id, 'mode=' .. lease.mode .. ' owner=' .. lease.owner .. ' why=' .. why, true)
end

-- is_idle(lock): whether nobody holds or waits. rest(lock): an idle lock has only the limit that is configured.
local function is_idle(lock)
  return lock.count + lock.waiting == 0
end
local function rest(lock)
  if is_idle(lock) then
    lock.limit, lock.arrivals = lock.fixed, 0
  end
end

-- settle(lock): ends what time has ended, and promotes those whose turn it is.
local function settle(lock)
  if lock.was_idle then
    return
  end
  local now = integer(now_ms())
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', names.lock_ends .. lock.name, '-inf', now)) do
    local lease = load_lease(lock, id)
    if lease.state == 'held' then
      end_holding(lock, lease, lease.claimed == '1' and 'expired' or 'unclaimed')
    else
      local is_over = lease['until'] ~= '' and tonumber(lease['until']) <= now_ms()
      end_waiting(lock, lease, is_over and 'timed-out' or 'unclaimed')
    end
  end
  promote(lock)
  rest(lock)
end

-- open_lock(name): the lock as it is now.
local function open_lock(name)
  local lock = load_lock(name)
  settle(lock)
  return lock
end

-- is_configured(lock): whether it is kept when it is idle.
local function is_configured(lock)
  return lock.fixed ~= '' or lock.write ~= '' or lock.delay > 0
end

-- next_due(lock): when it is to be looked at next.
local function next_due(lock)
  local first = redis.call('ZRANGE', names.lock_ends .. lock.name, 0, 0, 'WITHSCORES')
  local due = tonumber(first[2])
  local opens = math.max(lock.delayed, barred_until())
  if lock.waiting > 0 and opens > now_ms() and opens < due then
    return opens
  end
  return due
end

-- close_lock(lock): writes what has changed.
local function close_lock(lock)
  if not lock.changed then
    return
  end
  rest(lock)
  redis.call('HSET', names.lock .. lock.name, 'token', integer(lock.token), 'mode', lock.mode, 'count', lock.count, 'used', lock.used,
    'waiting', lock.waiting, 'limit', lock.limit, 'fixed', lock.fixed, 'write', lock.write, 'delay', lock.delay,
    'delayed', integer(lock.delayed), 'arrivals', lock.arrivals, 'mean', lock.mean, 'history', lock.history)
  if not lock.is_there then
    redis.call('ZADD', names.locks, 0, lock.name)
  end
  if not is_idle(lock) then
    redis.call('ZADD', names.locks_due, integer(next_due(lock)), lock.name)
  elseif not lock.was_idle then
    redis.call('ZREM', names.locks_due, lock.name)
  end
  if is_idle(lock) and not is_configured(lock) then
    redis.call('ZADD', names.locks_free, integer(math.max(now_ms(), lock.delayed)), lock.name)
  elseif lock.is_there and lock.was_idle then
    redis.call('ZREM', names.locks_free, lock.name)
  end
end

-- forget(name): an idle lock is forgotten, its token is not: the next one is greater.
local function forget(name)
  local token = tonumber(redis.call('HGET', names.lock .. name, 'token') or '0')
  if token > least_token() then
    floor = token
    redis.call('HSET', names.locks_state, 'floor', integer(token))
  end
  redis.call('DEL', names.lock .. name)
  redis.call('ZREM', names.locks, name)
  redis.call('ZREM', names.locks_free, name)
  lasting()
end

-- has_room(): whether there may be one lock more; if there are too many, the one that is idle for longest is forgotten, but none that is
-- still delayed.
local function has_room()
  if redis.call('ZCARD', names.locks) < limits.locks_max then
    return true
  end
  local idle = redis.call('ZRANGEBYSCORE', names.locks_free, '-inf', integer(now_ms()), 'LIMIT', 0, 1)[1]
  if idle then
    forget(idle)
  end
  return idle ~= nil
end
