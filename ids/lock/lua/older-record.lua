--- @include "lock-record"
-- older_record(key, text, is_lock): a lock or a lease, as a version before has recorded it: as a table in MessagePack, which of a lock
-- lacks what is as in a new one; or as a hash of texts, which cannot be got.

local function fields_of(key)
  local found, fields = redis.call('HGETALL', key), {}
  for at = 1, #found, 2 do
    fields[found[at]] = found[at + 1]
  end
  return fields
end

-- older_history(history): a list of entries, or a text in which blanks separate them, as it is now.
local function older_history(history)
  if type(history) == 'table' then
    return table.concat(history, ',')
  end
  return (string.gsub(history or '', '%s+', ','))
end

function rarely.older_record(key, text, is_lock)
  local found = type(text) == 'string' and cmsgpack.unpack(text) or fields_of(key)
  if not is_lock then
    return found
  end
  local lock = new_lock()
  for field, new in pairs(lock) do
    lock[field] = type(new) == 'number' and tonumber(found[field] or new) or found[field] or new
  end
  lock.is_there = true
  lock.history = older_history(found.history)
  return lock
end
