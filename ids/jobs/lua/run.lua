--- @include "lease"
-- A job is run for a *slot*, the time at which it is due, in seconds since 1970. A run of it is a lease on the job's lock, whose
-- id is the slot and the runner, so at most one of all slots is under way. What became of each slot is remembered in
-- names.job{lock}, a hash: for each slot a text, `{state} {runner} {at} {token} {note}`, with a dash for no note; and `newest`,
-- the last slot that was begun. A run whose lease has ended, and that nobody has ended, is lost.

-- lease_of(slot, runner): how its lease is called.
local function lease_of(slot, runner)
  return slot .. '-' .. runner
end

-- recorded_run(lock, slot): what became of a slot, or nil.
local function recorded_run(lock, slot)
  local text = redis.call('HGET', names.job .. lock.name, slot)
  if not text then
    return nil
  end
  local state, by, at, token, note = string.match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
  local lease = state == 'running' and load_lease(lock, lease_of(slot, by))
  if state == 'running' and not (lease and lease.state == 'held' and tonumber(lease.expires) > now_ms()) then
    state = 'lost'
  end
  return { slot = slot, state = state, by = by, at = at, token = token, note = note }
end

-- remember_run(lock, run): a job that is begun no more is forgotten after so long.
local function remember_run(lock, run)
  local key = names.job .. lock.name
  redis.call('HSET', key, run.slot, table.concat({ run.state, run.by, run.at, run.token, run.note }, ' '))
  redis.call('PEXPIRE', key, limits.job_kept_ms)
end

-- running_run(lock): the run that holds the job's lock, or nil. Whoever knows the lock's name can hold it otherwise: that is no run.
local function running_run(lock)
  for _, id in ipairs(lock.count > 0 and leases_of(lock) or {}) do
    local slot = string.match(id, '^(%d+)%-')
    local run = slot and recorded_run(lock, slot)
    if run and run.state == 'running' and lease_of(slot, run.by) == id then
      return run
    end
  end
  return nil
end

-- shown_run(run): a run as commands return it.
local function shown_run(run)
  return run.slot, run.state, run.by, run.at, run.token, run.note
end
