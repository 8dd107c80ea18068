--- @include "run"
-- show-job: the run of a job that is under way, and that of the last slot that was begun.
-- ARGS     lock
-- RETURNS  the run that is under way, and that of the last slot; each is its slot, state, by, at, token and note, or nothing
-- WRITES   nothing
commands['show-job'] = function(args)
  local lock = load_lock(args.lock)
  local newest = redis.call('HGET', names.job .. lock.name, 'newest')
  local running, last = running_run(lock), newest and recorded_run(lock, newest)
  return {
    running and { shown_run(running) } or {},
    last and { shown_run(last) } or {},
  }
end
