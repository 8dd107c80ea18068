--- @include "saga"
-- is_logged(entry): whether the log was not trimmed beyond it.
local function is_logged(entry)
  return entry and #redis.call('XRANGE', names.log, entry, entry) > 0
end

-- finish_saga(id, saga, state): moves a saga to a state in which it is finished, and of which nobody is to know. Its last entry may
-- have been trimmed by then, so that no other would end its record: see trim.lua.
local function finish_saga(id, saga, state)
  saga.state = state
  local has_entries = is_logged(saga.again) or is_logged(last_entry(saga.entries))
  if not has_entries or not pack_saga(id, saga) then
    store_saga(id, saga)
  end
  if not has_entries then
    redis.call('ZADD', names.kept, now_ms(), id)
  end
  place(id, saga)
end
