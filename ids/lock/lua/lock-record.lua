--- @include "log"
-- What is recorded of locks. Texts of clients (names, owners) are percent-encoded: no value of an entry holds a blank.
--
-- names.lock{lock}, a table in MessagePack, without what is as in NEW: `token` the last that was given · `mode` of those that hold ·
--   `count` of them · `used` permits · `waiting` how many wait · `limit` of permits in effect · `fixed`, `write`, `delay` as it is configured ·
--   `delayed` until when nobody gets it · `made` when it was configured first · `arrivals` since it was idle · `mean` how long leases were
--   held lately, in ms · `due` when it is to be looked at next, or before · `sole`, `sole_end`: the lease that alone holds, if nobody has waited
--   since, and the moment at which time ends it · `lease` that lease · `history` its last entries
-- names.lock_lease{lease}:{lock}, likewise: a lease that holds, but for a `sole` one, waits, or has ended a while ago
-- names.lock_ends{lock}, a sorted set: each lease that holds or waits, by the moment at which time ends it, but for a `sole` one
-- names.lock_queue{lock}, a sorted set: each lease that waits, by priority, then arrival
-- names.locks, a sorted set: every lock there is, by name · names.locks_due: each in use, by when it is to be looked at next ·
--   names.locks_free: each idle one, since when · names.locks_state, a hash: see bar-locks.lua
local NEW = {
  token = 0, mode = '', count = 0, used = 0, waiting = 0, limit = '', fixed = '', write = '', delay = 0, delayed = 0, made = 0, arrivals = 0,
  mean = 0, due = 0, sole = '', sole_end = 0, lease = false,
}

-- now_text(): the time in digits, as it is kept and told.
local moment
local function now_text()
  moment = moment or integer(now_ms())
  return moment
end

local OR_NEW = { __index = NEW }

-- unpacked(key): the table that is kept there, or nil, and whether a version before has kept it: as a hash, of texts.
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
  return fields, true
end

-- from_texts(lock): what a version before has kept, as it is now.
local function from_texts(lock)
  for field, new in pairs(NEW) do
    lock[field] = type(new) == 'number' and tonumber(lock[field]) or lock[field]
  end
  local history = {}
  for entry in string.gmatch(lock.history or '', '%S+') do
    history[#history + 1] = entry
  end
  lock.history = history
end

-- load_lock(name): what is recorded of it; one that is not there is free. save_lock(lock): records it.
local function load_lock(name)
  local found, is_old = unpacked(names.lock .. name)
  local lock = setmetatable(found or {}, OR_NEW)
  if is_old then
    from_texts(lock)
  end
  lock.name, lock.is_there, lock.history = name, found ~= nil, lock.history or {}
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
  if lock.lease and lock.sole == id then
    return lock.lease
  end
  local lease = unpacked(key_of_lease(lock, id))
  if lease then
    lease.id = id
  end
  return lease
end
local function save_lease(lock, lease)
  if lock.sole == lease.id then
    lock.lease = lease
  else
    redis.call('SET', key_of_lease(lock, lease.id), cmsgpack.pack(lease))
  end
end

-- remember_end(lock, lease, why, kept_ms): for a while it is remembered how a lease has ended.
local function remember_end(lock, lease, why, kept_ms)
  local kept = { state = 'ended', ended = why, at = now_text(), request = lease.request, promoted = lease.promoted }
  redis.call('SET', key_of_lease(lock, lease.id), cmsgpack.pack(kept), 'PX', kept_ms)
end

-- end_sole(lock): no lease holds alone any more.
local function end_sole(lock)
  lock.sole, lock.sole_end, lock.lease = '', 0, false
end

-- set_end(lock, id, ms): time ends a lease at that moment; it is recorded after that. drop_end(lock, id): it has ended.
local function set_end(lock, id, ms)
  local is_first = lock.was_idle and lock.sole == '' and lock.count == 1 and lock.waiting == 0
  if is_first or lock.sole == id then
    lock.sole, lock.sole_end = id, ms
  elseif lock.sole == '' then
    redis.call('ZADD', names.lock_ends .. lock.name, integer(ms), id)
  else
    redis.call('ZADD', names.lock_ends .. lock.name, integer(lock.sole_end), lock.sole, integer(ms), id)
    local sole = lock.lease
    end_sole(lock)
    if sole then
      save_lease(lock, sole)
    end
  end
end
local function drop_end(lock, id)
  if lock.sole == id then
    end_sole(lock)
  else
    redis.call('ZREM', names.lock_ends .. lock.name, id)
  end
end

-- end_of(lock, id): when time ends a lease that holds or waits.
local function end_of(lock, id)
  return lock.sole == id and lock.sole_end or tonumber(redis.call('ZSCORE', names.lock_ends .. lock.name, id))
end

-- first_end(lock): when time ends the first of those that hold or wait.
local function first_end(lock)
  return lock.sole ~= '' and lock.sole_end or tonumber(redis.call('ZRANGE', names.lock_ends .. lock.name, 0, 0, 'WITHSCORES')[2])
end

-- leases_of(lock): the ids of those that hold or wait, the first to be ended by time first. over_by(lock, ms): of those that it has ended by then.
local function leases_of(lock)
  return lock.sole ~= '' and { lock.sole } or redis.call('ZRANGE', names.lock_ends .. lock.name, 0, -1)
end
local function over_by(lock, ms)
  if lock.sole ~= '' then
    return lock.sole_end <= ms and { lock.sole } or {}
  end
  return redis.call('ZRANGEBYSCORE', names.lock_ends .. lock.name, '-inf', integer(ms))
end

-- index(key, name, score): a lock stands in a sorted set of all locks, or, if `score` is nil, does not. Written for all commands of a script
-- together, before the sets are read: write_index().
local indexed, unwritten = {}, {}
local function index(key, name, score)
  if not indexed[key] then
    indexed[key] = {}
    unwritten[#unwritten + 1] = key
  end
  indexed[key][name] = score or false
end
local function write_index()
  for _, key in ipairs(unwritten) do
    local there, gone = {}, {}
    for name, score in pairs(indexed[key]) do
      if score then
        there[#there + 1], there[#there + 2] = score, name
      else
        gone[#gone + 1] = name
      end
    end
    if #there > 0 then
      redis.call('ZADD', key, unpack(there))
    end
    if #gone > 0 then
      redis.call('ZREM', key, unpack(gone))
    end
  end
  indexed, unwritten = {}, {}
end
gathered[#gathered + 1] = write_index
