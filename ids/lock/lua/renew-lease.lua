--- @include "lease"
-- renew-lease: lets a lease that holds end later, or step down to reading; of one that waits, what may be changed of it.
-- ARGS     lock, lease, seen, ttl, metadata, priority, mode ('' of each that stays)
-- RETURNS  held, lease | waiting, lease
--          or in passing: ended, lease | unknown | not-exclusive | older

local function renew(lock, lease, args)
  local now = now_ms()
  if args.mode ~= '' and lease.mode ~= args.mode then
    lease.mode, lock.mode = args.mode, args.mode
  end
  lease.expires, lease.claimed = integer(now + tonumber(lease.ttl)), '1'
  save_lease(lock, lease)
  set_end(lock, lease.id, now + tonumber(lease.ttl))
  emit_lock(lock, 'LockRenewed', lease.id, facts_of(lock, lease, ' until=' .. lease.expires), false)
  promote(lock)
  return shown_held(lock, lease)
end

local function change_waiting(lock, lease)
  save_lease(lock, lease)
  redis.call('ZADD', names.lock_queue .. lock.name, place_of(lease), lease.id)
  set_end(lock, lease.id, ends_at(lease))
  emit_queued(lock, lease)
  promote(lock)
  -- It may have come to the head, and fit there.
  local found = load_lease(lock, lease.id)
  return found.state == 'held' and ask(lock, found) or shown_waiting(lock, found)
end

commands['renew-lease'] = on_lock(function(lock, args)
  local lease = load_lease(lock, args.lease)
  if not lease then
    return { 'unknown' }, true
  elseif lease.state == 'ended' then
    return shown_end(lease), true
  elseif args.mode ~= '' and (lease.state == 'waiting' or lease.mode ~= 'exclusive' and lease.mode ~= args.mode) then
    return { 'not-exclusive' }, true
  end
  lease.ttl = args.ttl ~= '' and args.ttl or lease.ttl
  lease.metadata = args.metadata ~= '' and args.metadata or lease.metadata
  lease.priority = args.priority ~= '' and args.priority or lease.priority
  return lease.state == 'held' and renew(lock, lease, args) or change_waiting(lock, lease)
end)
