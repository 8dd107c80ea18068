--- @include "checkout"
-- end_checkout(id, saga, reason, state, status): decides that a checkout is not to be.
local function end_checkout(id, saga, reason, state, status)
  leave_submitted(id, saga)
  saga.reason = reason
  order_status(id, saga, status)
  emit_saga(id, saga, state)
  announce(id, saga)
end

-- withdraw(id, saga, reason): ends a checkout that was not begun: there is nothing to undo.
local function withdraw(id, saga, reason)
  end_checkout(id, saga, reason, 'failed', 'open')
end

-- cancel_checkout(id, saga, reason): ends a checkout that was begun, and has payment undo it.
local function cancel_checkout(id, saga, reason)
  end_checkout(id, saga, reason, 'cancelling', 'cancelling')
end
