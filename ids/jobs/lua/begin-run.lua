--- @include "run"
-- begin-run: lets a runner run a job for a slot, if nobody has; with `again` also if the one that has is lost. The same request again finds
-- its run. What is older than the last slot that was begun, and not remembered, was run or left out.
-- ARGS     lock, seen, slot, runner, ttl, again (yes or no), keep (how many slots are remembered)
-- RETURNS  begun, new, token, expires_in, expires, entry (by which it was granted, if it is new)
--          or in passing: taken, slot, state, by, at, token, note | early, latest | later, newest | locked, why, rest, waiting |
--          barred, rest | too-many | older

-- forget_slots(lock, keep, begun): only so many are remembered, the last ones, and the one that was begun just now.
local function forget_slots(lock, keep, begun)
  local key = names.job .. lock.name
  local surplus = redis.call('HLEN', key) - 1 - keep
  if surplus <= 0 then
    return
  end
  local slots = {}
  for _, name in ipairs(redis.call('HKEYS', key)) do
    slots[#slots + 1] = tonumber(name)
  end
  table.sort(slots)
  for at = 1, surplus do
    if integer(slots[at]) ~= begun then
      redis.call('HDEL', key, integer(slots[at]))
    end
  end
end

-- latest_slot(): none after it is begun now: it would keep those before it from being run.
local function latest_slot()
  return math.floor(now_ms() / 1000) + limits.job_ahead_s
end

-- newest_slot(lock): the last slot that was begun, or nil. One too far ahead, which a version before let begin, is none.
local function newest_slot(lock)
  local newest = tonumber(redis.call('HGET', names.job .. lock.name, 'newest') or '')
  return newest and newest <= latest_slot() and newest or nil
end

-- taken_by(lock, args): what speaks against a run.
local function taken_by(lock, args)
  local run = recorded_run(lock, args.slot)
  if run and (run.state ~= 'lost' or args.again == 'no') then
    return { 'taken', shown_run(run) }
  end
  local latest, newest = latest_slot(), newest_slot(lock)
  if tonumber(args.slot) > latest then
    return { 'early', integer(latest) }
  end
  if not run and newest and tonumber(args.slot) < newest then
    return { 'later', integer(newest) }
  end
  local other = running_run(lock)
  if other then
    return { 'taken', shown_run(other) }
  end
  if barred_until() > now_ms() then
    return { 'barred', integer(barred_until() - now_ms()) }
  elseif lock.count > 0 or not is_open(lock) then
    return locked(lock)
  end
  return not lock.is_there and not has_room() and { 'too-many' } or nil
end

commands['begin-run'] = on_lock(function(lock, args)
  local id = lease_of(args.slot, args.runner)
  local mine = load_lease(lock, id)
  if mine and mine.state == 'held' then
    return { 'begun', 'no', mine.token, integer(tonumber(mine.expires) - now_ms()), mine.expires, '' }
  end
  local refusal = taken_by(lock, args)
  if refusal then
    return refusal, true
  end
  local lease = {
    id = id, request = '', mode = 'exclusive', permits = '1', ttl = args.ttl, priority = '0', owner = args.runner,
    metadata = '{}', delay = '0',
  }
  grant(lock, lease, true)
  remember_run(lock, { slot = args.slot, state = 'running', by = args.runner, at = integer(now_ms()), token = lease.token, note = '-' })
  redis.call('HSET', names.job .. lock.name, 'newest', integer(math.max(newest_slot(lock) or 0, tonumber(args.slot))))
  forget_slots(lock, tonumber(args.keep), args.slot)
  return { 'begun', 'yes', lease.token, integer(tonumber(lease.expires) - now_ms()), lease.expires, lock.entry }
end)
