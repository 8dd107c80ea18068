--- @include "log"
--- @rarely "older-record"
-- What is recorded of locks. Texts of clients (names, owners) are percent-encoded: no value of an entry holds a blank.
--
-- names.lock{lock}, a text: each of these with a zero byte behind it, of a number that is 0 nothing but that: `token` the last
--   that was given · `mode` of those that hold · `count` of them · `used` permits · `waiting` how many wait · `limit` of permits
--   in effect · `fixed`, `write`, `delay` as it is configured · `delayed` until when nobody gets it · `made` when it was
--   configured first · `arrivals` since it was idle · `mean` how long leases were held lately, in ms · `due` when it is to be
--   looked at next, or before · `sole`, `sole_end`: the lease that alone holds, if nobody has waited since, and the moment at
--   which time ends it · `history` its last entries, separated by commas · `lease` that lease
-- names.lock_lease{lease}:{lock}, likewise, see `text_of_lease`: a lease that holds, but for a `sole` one, waits, or has ended a while ago
-- names.lock_ends{lock}, a sorted set: each lease that holds or waits, by the moment at which time ends it, but for a `sole` one
-- names.lock_queue{lock}, a sorted set: each lease that waits, by priority, then arrival
-- names.locks, a sorted set: every lock there is, by name · names.locks_due: each in use, by when it is to be looked at next ·
--   names.locks_free: each idle one, since when · names.locks_state, a hash: see bar-locks.lua
-- They are read by `struct.unpack`: Redis takes three times as long for a table in MessagePack.

-- digits(number): its decimal digits, which are at hand for a number that was asked for before; or_none(number): none of 0.
local known_digits = {}
local function digits(number)
  local text = known_digits[number]
  if not text then
    text = integer(number)
    known_digits[number] = text
  end
  return text
end
local function or_none(number)
  return number == 0 and '' or digits(number)
end

-- number_in(text): the number that was recorded so. The sum makes it one, in half the time of tonumber.
local function number_in(text)
  return text == '' and 0 or text + 0
end

-- now_text(): the time in digits, as it is kept and told.
local function now_text()
  return digits(now_ms())
end

-- lease_in(text, at), text_of_lease(lease): the lease that is recorded from there on, and how one is recorded that holds or waits.
local LEASE, END = string.rep('s', 13), string.rep('s', 5)
local function lease_in(text, at)
  if string.sub(text, at, at) == 'e' then
    local state, request, why, ended_at, promoted = struct.unpack(END, text, at)
    return { state = state, request = request, ended = why, at = ended_at, promoted = promoted }
  end
  local state, request, mode, permits, ttl, priority, owner, metadata, delay, a, b, c, d = struct.unpack(LEASE, text, at)
  if state == 'held' then
    return { id = '', state = state, request = request, mode = mode, permits = permits, ttl = ttl, priority = priority, owner = owner,
      metadata = metadata, delay = delay, token = a, acquired = b, expires = c, claimed = d }
  end
  return { id = '', state = state, request = request, mode = mode, permits = permits, ttl = ttl, priority = priority, owner = owner,
    metadata = metadata, delay = delay, arrival = a, ['until'] = b, since = c }
end
local function text_of_lease(lease)
  local text = lease.state .. '\0' .. lease.request .. '\0' .. lease.mode .. '\0' .. lease.permits .. '\0' .. lease.ttl .. '\0'
    .. lease.priority .. '\0' .. lease.owner .. '\0' .. lease.metadata .. '\0' .. lease.delay .. '\0'
  if lease.state == 'held' then
    return text .. lease.token .. '\0' .. lease.acquired .. '\0' .. lease.expires .. '\0' .. lease.claimed .. '\0'
  end
  return text .. lease.arrival .. '\0' .. lease['until'] .. '\0' .. lease.since .. '\0\0'
end

-- new_lock(): one that is not there.
local function new_lock()
  return {
    token = 0, mode = '', count = 0, used = 0, waiting = 0, limit = '', fixed = '', write = '', delay = 0, delayed = 0, made = 0, arrivals = 0,
    mean = 0, due = 0, sole = '', sole_end = 0, history = '', lease = false, name = '', is_there = false, was_idle = true, changed = false,
    entry = '',
  }
end

-- lock_in(text), text_of_lock(lock): the lock that is recorded so, and how one is recorded. Of most locks there is nothing to tell between
-- `used` and `mean`, which is read and written as one: has_nothing_at(text, at).
local FIRST, MIDDLE, LAST = string.rep('s', 4), string.rep('s', 8), string.rep('s', 5)
local NOTHING = string.rep('\0', #MIDDLE)
local function has_nothing_at(text, at)
  return string.sub(text, at, at + #NOTHING - 1) == NOTHING
end
local function lock_in(text)
  local lock = new_lock()
  local token, mode, count, used, after = struct.unpack(FIRST, text)
  lock.token, lock.mode, lock.count, lock.used, lock.is_there = number_in(token), mode, number_in(count), number_in(used), true
  if has_nothing_at(text, after) then
    after = after + #NOTHING
  else
    local waiting, limit, fixed, write, delay, delayed, made, arrivals, behind = struct.unpack(MIDDLE, text, after)
    lock.waiting, lock.limit, lock.fixed, lock.write = number_in(waiting), limit, fixed, write
    lock.delay, lock.delayed, lock.made, lock.arrivals = number_in(delay), number_in(delayed), number_in(made), number_in(arrivals)
    after = behind
  end
  local mean, due, sole, sole_end, history, behind = struct.unpack(LAST, text, after)
  lock.mean, lock.due, lock.sole, lock.sole_end, lock.history = number_in(mean), number_in(due), sole, number_in(sole_end), history
  lock.lease = behind <= #text and lease_in(text, behind)
  return lock
end
local function middle_of(lock)
  if lock.waiting == 0 and lock.limit == '' and lock.fixed == '' and lock.write == '' and lock.delay == 0 and lock.delayed == 0
    and lock.made == 0 and lock.arrivals == 0 then
    return NOTHING
  end
  return or_none(lock.waiting) .. '\0' .. lock.limit .. '\0' .. lock.fixed .. '\0' .. lock.write .. '\0' .. or_none(lock.delay) .. '\0'
    .. or_none(lock.delayed) .. '\0' .. or_none(lock.made) .. '\0' .. or_none(lock.arrivals) .. '\0'
end
local function text_of_lock(lock)
  return digits(lock.token) .. '\0' .. lock.mode .. '\0' .. or_none(lock.count) .. '\0' .. or_none(lock.used) .. '\0' .. middle_of(lock)
    .. or_none(lock.mean) .. '\0' .. or_none(lock.due) .. '\0' .. lock.sole .. '\0' .. or_none(lock.sole_end) .. '\0' .. lock.history .. '\0'
    .. (lock.lease and text_of_lease(lock.lease) or '')
end

-- recorded(key): the text that is recorded there; false if none is. in_record(key, text, read): what it says, or nil. A version before has
-- recorded it otherwise: never as what begins with a digit or a letter.
local function recorded(key)
  return redis.pcall('GET', key)
end
local function is_of_now(text)
  return type(text) == 'string' and string.byte(text) < 128
end
local function in_record(key, text, read)
  if not text then
    return nil
  end
  return is_of_now(text) and read(text, 1) or rarely.older_record(key, text, read == lock_in)
end

-- load_lock(name, text): what is recorded of it, so, if that was read before; one that is not there is free. save_lock(lock): records it.
local function load_lock(name, text)
  local key = names.lock .. name
  if text == nil then
    text = recorded(key)
  end
  local lock = in_record(key, text, lock_in) or new_lock()
  lock.name, lock.was_idle = name, lock.count + lock.waiting == 0
  if lock.lease then
    lock.lease.id = lock.sole
  end
  return lock
end
local function save_lock(lock)
  redis.call('SET', names.lock .. lock.name, text_of_lock(lock))
end

-- history_with(history, entry): of its entries a lock has the last eight at hand, which take so many bytes at least.
local HISTORY_BYTES, LAST_EIGHT = 8 * #'1767225600000-0' + 7, '^[^,]*,([^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*)$'
local function history_with(history, entry)
  if history == '' then
    return entry
  end
  history = history .. ',' .. entry
  return #history > HISTORY_BYTES and string.match(history, LAST_EIGHT) or history
end

local function key_of_lease(name, id)
  return names.lock_lease .. id .. ':' .. name
end

-- load_lease(lock, id): what is recorded of it, or nil. save_lease(lock, lease): records one that holds or waits.
local function load_lease(lock, id)
  if lock.lease and lock.sole == id then
    return lock.lease
  end
  local key = key_of_lease(lock.name, id)
  local lease = in_record(key, recorded(key), lease_in)
  if lease then
    lease.id = id
  end
  return lease
end
local function save_lease(lock, lease)
  if lock.sole == lease.id then
    lock.lease = lease
  else
    redis.call('SET', key_of_lease(lock.name, lease.id), text_of_lease(lease))
  end
end

-- remember_end(name, id, request, why, kept_ms, promoted): for a while it is remembered how a lease on the lock of that name has ended.
local function remember_end(name, id, request, why, kept_ms, promoted)
  local text = 'ended\0' .. request .. '\0' .. why .. '\0' .. now_text() .. '\0' .. (promoted or 'no') .. '\0'
  redis.call('SET', key_of_lease(name, id), text, 'PXAT', digits(now_ms() + kept_ms))
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

-- first_end(lock): when time ends the first of those that hold or wait. first_end_held(lock): the first of those that hold, of
-- which there is one.
local function first_end(lock)
  return lock.sole ~= '' and lock.sole_end or tonumber(redis.call('ZRANGE', names.lock_ends .. lock.name, 0, 0, 'WITHSCORES')[2])
end
local function first_end_held(lock)
  if lock.waiting == 0 then
    return first_end(lock)
  end
  return tonumber(redis.call('ZDIFF', 2, names.lock_ends .. lock.name, names.lock_queue .. lock.name, 'WITHSCORES')[2])
end

-- leases_of(lock): the ids of those that hold or wait, the first to be ended by time first. over_by(lock, ms): of those that it
-- has ended by then.
local function leases_of(lock)
  return lock.sole ~= '' and { lock.sole } or redis.call('ZRANGE', names.lock_ends .. lock.name, 0, -1)
end
local function over_by(lock, ms)
  if lock.sole ~= '' then
    return lock.sole_end <= ms and { lock.sole } or {}
  end
  return redis.call('ZRANGEBYSCORE', names.lock_ends .. lock.name, '-inf', integer(ms))
end

-- has_waiting(lock, mode): whether anybody waits to hold so.
local function has_waiting(lock, mode)
  for _, id in ipairs(redis.call('ZRANGE', names.lock_queue .. lock.name, 0, -1)) do
    if load_lease(lock, id).mode == mode then
      return true
    end
  end
  return false
end

-- index(key, name, score): a lock stands in a sorted set of all locks, or, if `score` is nil, does not. Written for all commands
-- of a script together, before the sets are read: write_index().
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
