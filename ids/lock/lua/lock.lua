--- @include "entry-id"
--- @include "lock-record"
-- A lock and its leases: who may hold it, who waits, and how a lease ends. Each verb opens its lock, which ends what time has
-- ended and promotes those whose turn it is, and closes it, which writes what changed: see `on_lock`.

-- is_older(seen): whether this Redis lacks an entry that the caller has seen, so that it came back older.
local sound = ''
local function is_older(seen)
  if seen == sound or seen == '' then
    return false
  end
  if #redis.call('XREVRANGE', names.log, seen, seen) == 0 then
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

-- emit_about(kind, log_id, facts): appends an entry about a lock, of which the facts begin with its name; returns its stream id.
-- emit_lock(lock, kind, log_id, facts, is_history): the same, of a lock that has changed so.
local function emit_about(kind, log_id, facts)
  local entry, text = append(kind, log_id, facts)
  appended, appended_text = entry, kind .. ' ' .. text
  return entry
end
local function emit_lock(lock, kind, log_id, facts, is_history)
  lock.changed, lock.entry = true, emit_about(kind, log_id, facts)
  if is_history then
    lock.history = history_with(lock.history, lock.entry)
  end
end

-- emit_due(lock, kind, log_id, facts): the same, of what becomes of a lease whoever asks for another one: nobody had it done.
local function emit_due(lock, kind, log_id, facts)
  local by = done_by
  done_by = nil
  emit_lock(lock, kind, log_id, facts, true)
  done_by = by
end

local function facts_by(name, mode, owner, token, permits, more)
  return 'lock=' .. name .. ' mode=' .. mode .. ' owner=' .. owner .. ' token=' .. token .. ' permits=' .. permits .. more
end
local function facts_of(lock, lease, more)
  return facts_by(lock.name, lease.mode, lease.owner, lease.token, lease.permits, more)
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

-- next_token(last): what a lease gets on a lock whose last one was that.
local function next_token(last)
  return math.max(last + 1, least_token() + 1, now_ms() - limits.first_token_ms)
end

-- grant(lock, lease, is_claimed): makes a lease that fits hold. One that is promoted is not claimed until it is asked for.
local function grant(lock, lease, is_claimed)
  local now = now_ms()
  local token = next_token(lock.token)
  local expires = now + tonumber(lease.ttl)
  lock.token, lock.count, lock.mode = token, lock.count + 1, lease.mode
  lock.used = lock.used + tonumber(lease.permits)
  lease.state, lease.token, lease.acquired, lease.expires = 'held', digits(token), now_text(), digits(expires)
  lease.claimed = is_claimed and '1' or '0'
  set_end(lock, lease.id, is_claimed and expires or math.min(expires, now + limits.lock_unclaimed_ms))
  save_lease(lock, lease)
  local emit = is_claimed and emit_lock or emit_due
  emit(lock, 'LockGranted', lease.id, facts_of(lock, lease, ' until=' .. lease.expires), true)
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

-- What ends a lease that nobody ended.
local BY_TIME = { expired = true, unclaimed = true, ['timed-out'] = true }
local KIND_OF_END = { released = 'LockReleased', expired = 'LockExpired', unclaimed = 'LockExpired', forced = 'LockForced' }

-- mean_with(mean, acquired): for how long leases were held lately, with one that ends now.
local function mean_with(mean, acquired)
  local held = math.max(0, now_ms() - acquired)
  return mean == 0 and held or math.floor((3 * mean + held) / 4)
end

-- end_holding(lock, lease, why): a lease holds no longer. One that has expired, or was forced, delays the lock if it wants that.
local function end_holding(lock, lease, why)
  lock.count, lock.used = lock.count - 1, lock.used - tonumber(lease.permits)
  if lock.count == 0 then
    lock.mode = ''
  end
  lock.mean = mean_with(lock.mean, tonumber(lease.acquired))
  drop_end(lock, lease.id)
  remember_end(lock.name, lease.id, lease.request, why, limits.lock_ended_ms)
  local more = (why == 'expired' or why == 'unclaimed') and ' why=' .. why or ''
  if lease.delay ~= '0' and (why == 'expired' or why == 'forced') then
    local since = why == 'expired' and tonumber(lease.expires) or now_ms()
    lock.delayed = math.max(lock.delayed, since + tonumber(lease.delay))
    more = more .. ' delayed=' .. integer(lock.delayed)
  end
  local emit = BY_TIME[why] and emit_due or emit_lock
  emit(lock, KIND_OF_END[why], lease.id, facts_of(lock, lease, more), true)
end

-- end_waiting(lock, lease, why): a lease waits no longer.
local function end_waiting(lock, lease, why)
  lock.waiting = lock.waiting - 1
  redis.call('ZREM', names.lock_queue .. lock.name, lease.id)
  drop_end(lock, lease.id)
  remember_end(lock.name, lease.id, lease.request, why, limits.lock_ended_ms)
  local emit = BY_TIME[why] and emit_due or emit_lock
  emit(lock, 'LockWaitEnded', lease.id,
    'lock=' .. lock.name .. ' mode=' .. lease.mode .. ' owner=' .. lease.owner .. ' why=' .. why, true)
end

-- is_idle(lock): whether nobody holds or waits. rest(lock): a lock that has changed has only the limit that is configured, once
-- nobody holds or waits with permits.
local function is_idle(lock)
  return lock.count + lock.waiting == 0
end
local function rest(lock)
  if is_idle(lock) then
    lock.arrivals = 0
  end
  if lock.changed and lock.limit ~= lock.fixed and lock.mode ~= 'permit' and not has_waiting(lock, 'permit') then
    lock.limit = lock.fixed
  end
end

-- settle(lock): ends what time has ended, and promotes those whose turn it is.
local function settle(lock)
  if lock.was_idle then
    return
  end
  local over = lock.due <= now_ms() and over_by(lock, now_ms()) or {}
  for _, id in ipairs(over) do
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

-- open_lock(name, text): the lock as it is now, of which that is recorded, if it was read before.
local function open_lock(name, text)
  local lock = load_lock(name, text)
  settle(lock)
  return lock
end

-- is_configured(lock): whether it is kept when it is idle.
local function is_configured(lock)
  return lock.fixed ~= '' or lock.write ~= '' or lock.delay > 0
end

-- next_due(lock): when it is to be looked at next.
local function next_due(lock)
  local due = first_end(lock)
  local opens = math.max(lock.delayed, barred_until())
  if lock.waiting > 0 and opens > now_ms() and opens < due then
    return opens
  end
  return due
end

-- How many locks there are, once it was asked.
local locks_count

-- close_lock(lock): writes what has changed.
local function close_lock(lock)
  if not lock.changed then
    return
  end
  rest(lock)
  local idle = is_idle(lock)
  lock.due = idle and 0 or next_due(lock)
  save_lock(lock)
  if not lock.is_there then
    index(names.locks, lock.name, '0')
    locks_count = locks_count and locks_count + 1
  end
  if not idle then
    index(names.locks_due, lock.name, digits(lock.due))
  elseif not lock.was_idle then
    index(names.locks_due, lock.name)
  end
  if idle and not is_configured(lock) then
    index(names.locks_free, lock.name, digits(math.max(now_ms(), lock.delayed)))
  elseif lock.is_there and lock.was_idle then
    index(names.locks_free, lock.name)
  end
end

-- on_lock(verb, plainly): the command that does a verb with its lock: `verb(lock, args)` returns its reply. If it is a plain one, see
-- plain-lock.lua, `plainly(args, text)` may have done so. A Redis that came back older does nothing.
local function on_lock(verb, plainly)
  return function(args)
    if is_older(args.seen) then
      return { 'older' }, 'unsaid'
    end
    local text = recorded(names.lock .. args.lock)
    local done = plainly and plainly(args, text)
    if done then
      return done
    end
    local lock = open_lock(args.lock, text)
    local reply, passing = verb(lock, args)
    close_lock(lock)
    return reply, passing
  end
end

-- forget(idle): those idle locks are forgotten, their tokens are not: the next ones are greater.
local function forget(idle)
  local token = least_token()
  for _, name in ipairs(idle) do
    token = math.max(token, load_lock(name).token)
  end
  if token > least_token() then
    floor = token
    redis.call('HSET', names.locks_state, 'floor', integer(token))
  end
  for _, name in ipairs(idle) do
    redis.call('DEL', names.lock .. name)
    index(names.locks, name)
    index(names.locks_free, name)
    locks_count = locks_count and locks_count - 1
    lasting()
  end
end

-- has_room(): whether there may be one lock more; if there are too many, those that are idle for longest are forgotten, some at
-- once, but none that is still delayed.
local function has_room()
  locks_count = locks_count or redis.call('ZCARD', names.locks)
  if locks_count < limits.locks_max then
    return true
  end
  write_index()
  local idle = redis.call('ZRANGEBYSCORE', names.locks_free, '-inf', now_text(), 'LIMIT', 0, limits.locks_forgotten)
  forget(idle)
  return #idle > 0
end
