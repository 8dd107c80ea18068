--- @include "checkout"
--- @include "drop"
-- cancel: decides that a checkout is not to be, unless it was decided already.
-- FACTS    log_id, reason ('operator'; without one it is the deadline)
-- RETURNS  cancelled, decision | decided, decision | unknown
function commands.cancel(facts)
  local id = facts.log_id
  local saga = load_saga(id)
  if not saga then
    commands.drop(facts)
    return { 'unknown' }
  end
  if saga.state ~= 'checking-out' then
    return decision('decided', id, saga)
  end
  cancel_checkout(id, saga, facts.reason or 'deadline')
  return decision('cancelled', id, saga)
end
