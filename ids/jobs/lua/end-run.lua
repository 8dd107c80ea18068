--- @include "run"
-- end-run: says what became of a run, once.
-- ARGS     lock, seen, slot, runner, outcome (done or failed), note (without blanks, or '-')
-- RETURNS  over, state | decided, state
--          or in passing: unknown | lost, by | older
commands['end-run'] = function(args)
  if is_older(args.seen) then
    return { 'older' }, true
  end
  local lock = open_lock(args.lock)
  local run = recorded_run(lock, args.slot)
  if not run or run.state == 'lost' or run.by ~= args.runner then
    close_lock(lock)
    return run and { 'lost', run.by } or { 'unknown' }, true
  end
  if run.state ~= 'running' then
    close_lock(lock)
    return { run.state == args.outcome and 'over' or 'decided', run.state }
  end
  end_holding(lock, load_lease(lock, lease_of(args.slot, args.runner)), 'released')
  promote(lock)
  run.state, run.at, run.note = args.outcome, integer(now_ms()), args.note
  remember_run(lock, run)
  close_lock(lock)
  return { 'over', run.state }
end
