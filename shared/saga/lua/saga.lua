--- @include "entry"
--- @include "log"
-- A saga's record in this service is a hash: its state, the facts of it, `entries`, the stream ids of all that was said of
-- it for the first time, and `again`, that of the last repetition, if there was one. While it is unfinished here it stands in the
-- index `names.open`, scored by when it was last spoken of. Once it is finished, whatever its entries tell need not be recorded
-- twice: it is *packed* to its state and its entries, beside others, in a hash small enough for Redis to keep it in one piece,
-- until it is spoken of again. It lives as long as its last entry: see trim.lua.

-- tell(id, kind, facts, entries): says one entry of a saga, with facts as text. Returns the list of its entries with this one, and when.
local function tell(id, kind, facts, entries)
  local entry = say(kind, id, facts)
  if entries and entries ~= '' then
    return entries .. ' ' .. entry, told_ms(entry)
  end
  return entry, told_ms(entry)
end

-- last_entry(entries): the last of a list of entries.
local function last_entry(entries)
  return string.match(entries, '.* (.*)') or entries
end

-- packs(id): the hash in which this saga is packed. The last digits of the time in a log id spread them evenly.
local function packs(id)
  return names.packed .. string.sub(id, 7, 9)
end

-- PACKED_MAX: the longest name or value of a hash that Redis keeps in one piece.
local PACKED_MAX = 64

-- keep_open(id, told): the log parser will look at this saga if nothing is heard of it for a while.
local told_at = {}
local function keep_open(id, told)
  told_at[id] = told
end

-- finish(id): nothing more is to be done for this saga here.
local function finish(id)
  told_at[id] = false
end

-- pack_up(id, state, entries, is_new): finishes a saga of which its entries tell the rest; one that is new has no record yet.
-- False if its entries are too many: then it is not packed, or not any more.
local function pack_up(id, state, entries, is_new)
  local packed = state .. ' ' .. entries
  if #packed > PACKED_MAX or #id > PACKED_MAX then
    redis.call('HDEL', packs(id), id)
    return false
  end
  if not is_new then
    redis.call('DEL', names.saga .. id)
  end
  redis.call('HSET', packs(id), id, packed)
  finish(id)
  return true
end

-- packed_saga(id): a record that was packed, with what its entries tell, or nil.
local function packed_saga(id)
  local packed = redis.call('HGET', packs(id), id)
  if not packed then
    return nil
  end
  local state, entries = string.match(packed, '^(%S+) (.*)$')
  local saga = {}
  for entry in string.gmatch(entries, '%S+') do
    local said = redis.call('XRANGE', names.log, entry, entry)[1]
    for name, value in pairs(said and facts_of(said[2]) or {}) do
      saga[name] = value
    end
  end
  saga.kind, saga.version, saga.log_id = nil, nil, nil
  saga.state, saga.entries = state, entries
  return saga
end

-- take_out(id, saga): makes a record of its own again of one that is packed.
local function take_out(id, saga)
  local fields = {}
  for name, value in pairs(saga) do
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  redis.call('HSET', names.saga .. id, unpack(fields))
  redis.call('HDEL', packs(id), id)
end

-- tell_again(id, kind, facts): says once more what was said of a saga last, and returns when. A saga that hangs is told
-- again and again, so no more than the last time is recorded.
local function tell_again(id, kind, facts)
  local entry = say(kind, id, facts)
  local packed = packed_saga(id)
  if packed then
    take_out(id, packed)
  end
  redis.call('HSET', names.saga .. id, 'again', entry)
  return told_ms(entry)
end

-- unpacked(id): a record, packed or not, as a list of names and values.
local function unpacked(id)
  local fields = redis.call('HGETALL', names.saga .. id)
  if #fields == 0 then
    for name, value in pairs(packed_saga(id) or {}) do
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  return fields
end

-- is_recorded(id): whether anything is recorded of a saga.
local function is_recorded(id)
  return redis.call('EXISTS', names.saga .. id) == 1 or redis.call('HEXISTS', packs(id), id) == 1
end

gathered[#gathered + 1] = function()
  local opened, finished = {}, {}
  for id, told in pairs(told_at) do
    if told then
      opened[#opened + 1] = told
      opened[#opened + 1] = id
    else
      finished[#finished + 1] = id
    end
  end
  if #opened > 0 then
    redis.call('ZADD', names.open, unpack(opened))
  end
  if #finished > 0 then
    redis.call('ZREM', names.open, unpack(finished))
  end
end
