--- @include "saga"
-- shown(id): an order as it is recorded: its id, `user` (nothing more if there is no such order), `status`, `total`, `lines`, `costs`,
-- `number`, `version`, `at`, `updated`, `method`, `installments`, `returned`, `refunded`, `invoices`, `notes`, `replaced`, `saga`; and of
-- that checkout, as far as it is still recorded, `state`, `reason` and `item`; `billed`, `draft`. It is remembered under keys: what comes new comes last.
local function shown(id)
  local order = redis.call('HMGET', names.order .. id, 'user', 'status', 'total', 'lines', 'costs', 'number', 'version',
    'at', 'updated', 'method', 'installments', 'returned', 'refunded', 'invoices', 'notes', 'replaced', 'saga', 'billed', 'draft')
  local last, billed, draft = order[17], order[18], order[19]
  local saga = last and load_saga(last) or {}
  order[18], order[19], order[20] = saga.state or false, saga.reason or false, saga.item or false
  order[21], order[22] = billed, draft
  table.insert(order, 1, id)
  return order
end
