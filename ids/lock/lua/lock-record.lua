--- @include "log"
-- What is recorded of locks. Texts of clients (names, owners) are percent-encoded: no value of an entry holds a blank.
--
-- names.lock{lock}, a table in MessagePack, without what is as in NEW: `token` the last that was given · `mode` of those that hold ·
--   `count` of them · `used` permits · `waiting` how many wait · `limit` of permits in effect · `fixed`, `write`, `delay` as it is configured ·
--   `delayed` until when nobody gets it · `made` when it was configured first · `arrivals` since it was idle · `mean` how long leases were
--   held lately, in ms · `due` when it is to be looked at next, or before · `history` its last entries
-- names.lock_lease{lease}:{lock}, likewise: a lease that holds, waits, or has ended a while ago
-- names.lock_ends{lock}, a sorted set: each lease that holds or waits, by the moment at which time ends it
-- names.lock_queue{lock}, a sorted set: each lease that waits, by priority, then arrival
-- names.locks, a sorted set: every lock there is, by name · names.locks_due: each in use, by when it is to be looked at next ·
--   names.locks_free: each idle one, since when · names.locks_state, a hash: see bar-locks.lua
local NEW = {
  token = 0, mode = '', count = 0, used = 0, waiting = 0, limit = '', fixed = '', write = '', delay = 0, delayed = 0, made = 0, arrivals = 0,
  mean = 0, due = 0,
}

-- unpacked(key): the table that is kept there, or nil. A version before kept a hash, of texts.
local function unpacked(key)
  local text = redis.pcall('GET', key)
  if type(text) == 'string' then
    return cmsgpack.unpack(text)
  elseif not text then
    return nil
  end
  local found, fields = redis.call('HGETALL', key), {}
  for at = 1, #found, 2 do
    fields[found[at]] = found[at + 1]
  end
  return fields
end

-- load_lock(name): what is recorded of it; one that is not there is free. save_lock(lock): records it.
local function load_lock(name)
  local found = unpacked(names.lock .. name)
  local lock = { name = name, is_there = found ~= nil, history = {} }
  for field, new in pairs(NEW) do
    local value = found and found[field] or new
    lock[field] = type(new) == 'number' and tonumber(value) or value
  end
  local history = found and found.history
  if type(history) == 'string' then
    for entry in string.gmatch(history, '%S+') do
      table.insert(lock.history, entry)
    end
  else
    lock.history = history or {}
  end
  lock.was_idle = lock.count + lock.waiting == 0
  return lock
end
local function save_lock(lock)
  local kept = { history = lock.history }
  for field, new in pairs(NEW) do
    if lock[field] ~= new then
      kept[field] = lock[field]
    end
  end
  redis.call('SET', names.lock .. lock.name, cmsgpack.pack(kept))
end

local function key_of_lease(lock, id)
  return names.lock_lease .. id .. ':' .. lock.name
end

-- load_lease(lock, id): what is recorded of it, or nil. save_lease(lock, lease): records one that holds or waits.
local function load_lease(lock, id)
  local lease = unpacked(key_of_lease(lock, id))
  if lease then
    lease.id = id
  end
  return lease
end
local function save_lease(lock, lease)
  redis.call('SET', key_of_lease(lock, lease.id), cmsgpack.pack(lease))
end

-- remember_end(lock, lease, why, kept_ms): for a while it is remembered how a lease has ended.
local function remember_end(lock, lease, why, kept_ms)
  local kept = { state = 'ended', ended = why, at = integer(now_ms()), request = lease.request, promoted = lease.promoted }
  redis.call('SET', key_of_lease(lock, lease.id), cmsgpack.pack(kept), 'PX', kept_ms)
end

-- set_end(lock, id, ms): time ends a lease at that moment. drop_end(lock, id): it has ended.
local function set_end(lock, id, ms)
  redis.call('ZADD', names.lock_ends .. lock.name, integer(ms), id)
  lock.sole_end = lock.count + lock.waiting == 1 and ms or nil
end
local function drop_end(lock, id)
  redis.call('ZREM', names.lock_ends .. lock.name, id)
  lock.sole_end = nil
end

-- first_end(lock): when time ends the first of those that hold or wait.
local function first_end(lock)
  return lock.sole_end or tonumber(redis.call('ZRANGE', names.lock_ends .. lock.name, 0, 0, 'WITHSCORES')[2])
end
