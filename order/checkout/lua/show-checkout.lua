--- @include "checkout"
-- show-checkout: how a checkout stands: the last one of an order, or another one.
-- ABOUT    the order, and the checkout or '-'
-- RETURNS  user (nothing more if there is no such order), status, saga (nothing more if there is none), and of that, as far as it is
--          recorded: state, reason, item, user, total, lines, deadline, its first entry, and the entry that decided it
-- WRITES   nothing

-- deciding_entry(saga): the last entry that says what this saga came to; false if nothing is decided, or that is not in the log any
-- more.
local function deciding_entry(saga)
  if states[saga.state] == 'due' then
    return false
  end
  local kind = emits[saga.state == 'closed' and 'cancelling' or saga.state]
  local found = false
  for entry in string.gmatch(saga.entries, '%S+') do
    local fields = redis.call('XRANGE', names.log, entry, entry)[1]
    if fields and payload_of(fields[2]).kind == kind then
      found = entry
    end
  end
  return found
end

queries['show-checkout'] = function(about)
  local order, asked = string.match(about, '^(%S+) (%S+)$')
  local user, status, last = unpack(redis.call('HMGET', names.order .. order, 'user', 'status', 'saga'))
  local id = asked ~= '-' and asked or last
  if not user or not id then
    return { user, status }
  end
  local saga = load_saga(id)
  if not saga then
    return { user, status, id }
  end
  local first = string.match(saga.entries, '^%S+')
  return { user, status, id, saga.state, saga.reason or false, saga.item or false, saga.user, saga.total,
    saga.lines or '', saga.deadline or false, first, deciding_entry(saga) }
end
