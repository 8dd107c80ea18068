--- @include "run"
-- find-run: what became of the run of a runner.
-- ARGS     lock, slot, runner
-- RETURNS  the state; '' if no run by this runner is remembered
-- WRITES   nothing
commands['find-run'] = function(args)
  local run = recorded_run(load_lock(args.lock), args.slot)
  return run and run.by == args.runner and run.state or ''
end
