--- @often
--- @include "lease"
--- @include "plain-lock"
-- acquire-lock: lets a lease hold a lock, or wait for it. The same request again finds what became of it; but one that may come
-- again does so, unless it gave up itself just before: then this may be a request that was on its way.
-- ARGS     lock, lease, seen, request, ttl, mode, wait, queue (yes or no), priority, permits, limit, owner, metadata, delay,
--          comes_again (yes or no; from mode on, those are given that are not as in USUAL)
-- RETURNS  granted, lease, token, at, entry (what it holds otherwise is as it was asked for) | held, lease | waiting, lease
--          or in passing: ended, lease | locked, why, rest, waiting | reused | configured, what, as | unlimited | over-limit, limit |
--          full, rest | too-many | barred, rest | older

local USUAL = {
  mode = 'exclusive', wait = '0', queue = 'no', priority = '0', permits = '1', limit = '', owner = '', metadata = '{}', delay = '',
  comes_again = 'no',
}
local OR_USUAL = { __index = USUAL }

-- refusal_by(lock, args): why the lock, as it is configured or in use, is none for such a lease.
local function refusal_by(lock, args)
  local is_shared = args.mode == 'write-shared'
  if lock.write ~= '' and (is_shared or args.mode == 'exclusive') and is_shared ~= (lock.write == 'shared') then
    return { 'configured', 'write', lock.write }
  end
  if args.mode ~= 'permit' then
    return nil
  end
  if args.limit ~= '' and lock.limit ~= '' and args.limit ~= lock.limit then
    return { 'configured', 'limit', lock.limit }
  end
  local limit = lock.limit ~= '' and lock.limit or args.limit
  if limit == '' then
    return { 'unlimited' }
  end
  return tonumber(args.permits) > tonumber(limit) and { 'over-limit', limit } or nil
end

-- is_overtaking(lock, args): whether it would pass somebody of the same or a higher priority who waits.
local function is_overtaking(lock, args)
  if lock.waiting == 0 then
    return false
  end
  local first = redis.call('ZRANGE', names.lock_queue .. lock.name, 0, 0, 'WITHSCORES')
  return tonumber(first[2]) < (1001 - tonumber(args.priority)) * 4398046511104
end

-- is_to_be_had(lock, lease): whether one that wants this may hold now.
local function is_to_be_had(lock, lease)
  return is_open(lock) and fits(lock, lease) and not is_overtaking(lock, lease)
end

-- is_to_begin_anew(lock, lease, args): whether a lease that has ended may hold, or wait, once more. One that has ended later than
-- now, for the clock was set back, has done so by now.
local GAVE_UP = { released = true, cancelled = true }
local function is_to_begin_anew(lock, lease, args)
  if args.comes_again ~= 'yes' or lease.state ~= 'ended' then
    return false
  end
  if tonumber(lease.at) > now_ms() then
    remember_end(lock.name, lease.id, lease.request, lease.ended, limits.lock_ended_ms, lease.promoted)
    lease.at = now_text()
  end
  return not (GAVE_UP[lease.ended] and now_ms() < tonumber(lease.at) + limits.lock_unseen_ms)
end

-- again(lock, lease, args): what became of a lease that was asked for before. One that may come again may ask for something else
-- once it has ended. One whose wait is over is refused as at first, until it could be had: then it is to know that it waits no
-- more.
local function again(lock, lease, args)
  local may_differ = lease.request == '' or args.comes_again == 'yes' and lease.state == 'ended'
  if lease.request ~= args.request and not may_differ then
    return { 'reused' }, true
  end
  if lease.state == 'ended' then
    if lease.ended == 'timed-out' and not is_to_be_had(lock, args) then
      return locked(lock), true
    end
    return shown_end(lease), true
  end
  return ask(lock, lease)
end

commands['acquire-lock'] = on_lock(function(lock, args)
  setmetatable(args, OR_USUAL)
  local known = load_lease(lock, args.lease)
  if known and not is_to_begin_anew(lock, known, args) then
    return again(lock, known, args)
  end
  local refusal = refusal_by(lock, args)
  if refusal or not lock.is_there and not has_room() then
    return refusal or { 'too-many' }, true
  end
  local lease = {
    id = args.lease, request = args.request, mode = args.mode, permits = args.permits, ttl = args.ttl, priority = args.priority,
    owner = args.owner, metadata = args.metadata, delay = args.delay ~= '' and args.delay or digits(lock.delay),
    state = '', token = '', acquired = '', expires = '', claimed = '',
  }
  if is_to_be_had(lock, lease) then
    if args.mode == 'permit' and lock.limit == '' then
      lock.limit = args.limit
    end
    grant(lock, lease, true)
    return { 'granted', lease.id, lease.token, lease.acquired, lock.entry }
  elseif barred_until() > now_ms() then
    return { 'barred', integer(barred_until() - now_ms()) }, true
  elseif args.wait == '0' and args.queue == 'no' then
    return locked(lock), true
  elseif lock.waiting >= limits.lock_waiters then
    return { 'full', integer(first_end(lock) - now_ms()) }, true
  end
  enqueue(lock, lease, args)
  return shown_waiting(lock, lease)
end, acquire_plain)
