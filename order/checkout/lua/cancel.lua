--- @include "drafted"
--- @include "drop"
--- @include "undone"
-- cancel: decides that a checkout is not to be, unless it was decided already. A refund is no checkout.
-- ARGS     log_id, reason ('operator'; without one it is the deadline)
-- RETURNS  cancelled, decision | decided, decision | unknown
function commands.cancel(args)
  local id = args.log_id
  local saga = load_saga(id)
  if not saga then
    commands.drop(args)
    return { 'unknown' }
  end
  if saga.state == 'granted' or saga.state == 'settled' then
    return { 'unknown' }
  end
  if saga.state == 'submitted' then
    withdraw(id, saga, args.reason or 'deadline')
    request_missing_draft(id, saga.order)
    return decision('cancelled', id, saga)
  end
  if saga.state ~= 'checking-out' then
    return decision('decided', id, saga)
  end
  cancel_checkout(id, saga, args.reason or 'deadline')
  return decision('cancelled', id, saga)
end
