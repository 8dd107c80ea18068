--- @include "drop"
--- @include "wallet"
-- tell-again: emits once more what was decided of a checkout, for a subscriber that did not act on it, also if it is finished
-- here: the others wait for it. One that waits is looked at once more.
-- ARGS     log_id
-- RETURNS  told | served | unknown
commands['tell-again'] = function(args)
  local id = args.log_id
  local saga = load_saga(id)
  if not saga then
    commands.drop(args)
    return { 'unknown' }
  end
  if saga.state == 'waiting' then
    place(id, saga, integer(now_ms()))
    serve(saga.user)
    return { 'served' }
  end
  emit_again(id, saga)
  return { 'told' }
end
