--- @include "saga"
-- shown(id): an order as it is recorded: its id, `user` (nothing more if there is no such order), `status`, `total`, `lines`, `costs`,
-- `number`, `version`, `at`, `updated`, `method`, `installments`, `returned`, `refunded`, `invoices`, `notes`, `replaced`, `saga`; and of
-- that checkout, as far as it is still recorded, `state`, `reason` and `item`. It is remembered under keys: what comes new comes last.
local function shown(id)
  local order = redis.call('HMGET', names.order .. id, 'user', 'status', 'total', 'lines', 'costs', 'number', 'version',
    'at', 'updated', 'method', 'installments', 'returned', 'refunded', 'invoices', 'notes', 'replaced', 'saga')
  local last = order[17]
  local saga = last and load_saga(last) or {}
  table.insert(order, 1, id)
  order[#order + 1] = saga.state or false
  order[#order + 1] = saga.reason or false
  order[#order + 1] = saga.item or false
  return order
end
