--- @include "drop"
--- @include "saga"
-- tell-again: emits the last entry of an unfinished saga once more, for a subscriber that did not act on it.
-- ARGS     log_id
-- RETURNS  told | finished | unknown
commands['tell-again'] = function(args)
  local id = args.log_id
  local saga = load_saga(id)
  if not saga or not is_unfinished(saga) then
    commands.drop(args)
    return { saga and 'finished' or 'unknown' }
  end
  emit_again(id, saga)
  return { 'told' }
end
