--- @include "run"
-- end-run: says what became of a run, once.
-- ARGS     lock, seen, slot, runner, outcome (done or failed), note (without blanks, or '-')
-- RETURNS  over, state | decided, state
--          or in passing: unknown | lost, by | older
commands['end-run'] = on_lock(function(lock, args)
  local run = recorded_run(lock, args.slot)
  if not run or run.state == 'lost' or run.by ~= args.runner then
    return run and { 'lost', run.by } or { 'unknown' }, true
  end
  if run.state ~= 'running' then
    return { run.state == args.outcome and 'over' or 'decided', run.state }
  end
  end_holding(lock, load_lease(lock, lease_of(args.slot, args.runner)), 'released')
  promote(lock)
  run.state, run.at, run.note = args.outcome, integer(now_ms()), args.note
  remember_run(lock, run)
  return { 'over', run.state }
end)
