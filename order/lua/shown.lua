--- @include "saga"
-- shown(id): an order as it is recorded: its id, `user` (nothing more if there is no such order), `status`, `total`, `lines`, `costs`,
-- `number`, `version`, `at`, `updated`, `method`, `installments`, `returned`, `refunded`, `invoices`, `notes`, `replaced`, `saga`; and of
-- that checkout, as far as it is still recorded, `state`, `reason` and `item`; `billed`, `draft`; `amendment`, and the same of that. It is
-- remembered under keys: what comes new comes last.
local function shown(id)
  local order = redis.call('HMGET', names.order .. id, 'user', 'status', 'total', 'lines', 'costs', 'number', 'version',
    'at', 'updated', 'method', 'installments', 'returned', 'refunded', 'invoices', 'notes', 'replaced', 'saga', 'billed', 'draft',
    'amendment')
  local last, billed, draft, amendment = order[17], order[18], order[19], order[20]
  local saga = last and load_saga(last) or {}
  order[18], order[19], order[20] = saga.state or false, saga.reason or false, saga.item or false
  order[21], order[22] = billed, draft
  if amendment then
    local amending = load_saga(amendment) or {}
    order[23], order[24], order[25], order[26] = amendment, amending.state or false, amending.reason or false, amending.item or false
  end
  table.insert(order, 1, id)
  return order
end
