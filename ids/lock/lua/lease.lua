--- @include "lock"
-- A lease, as verbs bring it into a lock and show it.

-- ends_at(lease): when a waiting lease is dropped unless it is asked for again.
local function ends_at(lease)
  local ends = now_ms() + limits.lock_unattended_ms
  if lease['until'] ~= '' then
    ends = math.min(ends, tonumber(lease['until']))
  end
  return ends
end

-- place_of(lease): where it stands in the queue, by priority, then arrival: a number below 2^53.
local function place_of(lease)
  return integer((1000 - tonumber(lease.priority)) * 4398046511104 + tonumber(lease.arrival))
end

-- shown_held(lock, lease), shown_waiting(lock, lease), shown_end(lease): a lease as commands return it.
local function shown_held(lock, lease)
  return { 'held', lease.id, 'no', lease.mode, lease.permits, lease.token, lease.owner, lease.ttl, lease.expires, lease.acquired,
    lease.metadata, now_text(), lock.entry or '' }
end
local function shown_waiting(lock, lease)
  local ahead = redis.call('ZRANK', names.lock_queue .. lock.name, lease.id)
  return { 'waiting', lease.id, lease.mode, lease.permits, lease.priority, lease.owner, lease.metadata, integer(ahead + 1),
    integer(ahead + lock.count), lock.mean > 0 and integer((ahead + 1) * lock.mean) or '',
    lease['until'] ~= '' and integer(tonumber(lease['until']) - now_ms()) or '', lock.entry or '' }
end
local function shown_end(lease)
  return { 'ended', lease.ended, lease.at, lease.promoted or 'no' }
end

-- locked(lock): how one is refused that cannot hold it now, and in how many ms it may: when time ends the first that holds, or,
-- where nobody does, when the lock is delayed no longer.
local function locked(lock)
  local opens = lock.count > 0 and first_end_held(lock) or math.max(lock.delayed, barred_until())
  local is_delayed = lock.count == 0 and opens > now_ms()
  return { 'locked', is_delayed and 'delayed' or 'held', integer(math.max(0, opens - now_ms())), integer(lock.waiting) }
end

-- emit_queued(lock, lease): tells how a lease waits.
local function emit_queued(lock, lease)
  emit_lock(lock, 'LockQueued', lease.id, 'lock=' .. lock.name .. ' mode=' .. lease.mode .. ' owner=' .. lease.owner .. ' permits=' .. lease.permits
    .. ' priority=' .. lease.priority, true)
end

-- enqueue(lock, lease, args): lets a lease wait at its place.
local function enqueue(lock, lease, args)
  lock.arrivals, lock.waiting = lock.arrivals + 1, lock.waiting + 1
  if lease.mode == 'permit' and lock.limit == '' then
    lock.limit = args.limit
  end
  lease.state, lease.arrival = 'waiting', integer(lock.arrivals)
  lease['until'] = args.queue == 'yes' and '' or integer(now_ms() + tonumber(args.wait))
  lease.since = now_text()
  save_lease(lock, lease)
  redis.call('ZADD', names.lock_queue .. lock.name, place_of(lease), lease.id)
  set_end(lock, lease.id, ends_at(lease))
  emit_queued(lock, lease)
end

-- ask(lock, lease): finds how a lease that has not ended stands: so its client is known to be there.
local function ask(lock, lease)
  if lease.state == 'waiting' then
    set_end(lock, lease.id, ends_at(lease))
    lasting()
    return shown_waiting(lock, lease)
  end
  if lease.claimed ~= '1' then
    lease.claimed = '1'
    save_lease(lock, lease)
    set_end(lock, lease.id, tonumber(lease.expires))
    -- A Redis that came back older might end it as unclaimed, and be known by no entry that it lacks.
    emit_lock(lock, 'LockRenewed', lease.id, facts_of(lock, lease, ' until=' .. lease.expires), false)
  end
  return shown_held(lock, lease)
end
