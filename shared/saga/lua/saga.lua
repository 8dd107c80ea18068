--- @include "entry"
--- @include "log"
--- @include "packed"
-- A saga's record in this service is a hash: its state, what it is about, `entries`, the stream ids of all its entries but
-- repetitions, `again`, that of the last repetition, if there was one, and `trace`, that of its last entry. While it is
-- unfinished here it stands in the index `names.open`, scored by when its last entry was appended, and in a state that has a
-- deadline in `names.deadlines`, scored by that. Once it is finished, and where it is unfinished for moments only, whatever its
-- entries tell need not be recorded twice: it is *packed* to its state and its entries, beside others, in a hash small enough for
-- Redis to keep it in one piece, until its entries do not tell all. It lives as long as its last entry: see trim.lua. Which
-- states are unfinished, have a deadline or can be packed, what is recorded and what each state emits stands in the service's
-- tables: see shared/log/saga-table.ts, which also has `read_record`, `write_record`, `can_be_packed` and `payload`.

-- index(name): what this script changes in an index, by the ids of sagas: their scores, or false for those that leave it.
local function index(name)
  local scores = {}
  if not indexes[name] then
    return scores
  end
  gathered[#gathered + 1] = function()
    local placed, removed = {}, {}
    for id, score in pairs(scores) do
      if score then
        placed[#placed + 1] = score
        placed[#placed + 1] = id
      else
        removed[#removed + 1] = id
      end
    end
    if #placed > 0 then
      redis.call('ZADD', names[name], unpack(placed))
    end
    if #removed > 0 then
      redis.call('ZREM', names[name], unpack(removed))
    end
  end
  return scores
end

-- is_unfinished(saga): whether more is to be done for it here.
local function is_unfinished(saga)
  local stay = states[saga.state]
  return stay == 'unfinished' or stay == 'due'
end

-- place(id, saga, at_ms): has a saga whose last entry was appended then (if it is unfinished) stand where its state belongs, and
-- nowhere else.
local open, deadlines = index('open'), index('deadlines')
local function place(id, saga, at_ms)
  open[id] = is_unfinished(saga) and at_ms
  deadlines[id] = states[saga.state] == 'due' and saga.deadline
end

-- last_entry(entries): the last of a list of entries.
local function last_entry(entries)
  return string.match(entries, '.* (.*)') or entries
end

-- as_packed(saga, state, entries, beside): makes what is told of a saga its record, with that to which it is packed.
local function as_packed(saga, state, entries, beside)
  if beside then
    saga[passing[state]] = beside
  end
  saga.state, saga.entries, saga.stored = state, entries, 'packed'
  return saga
end

-- packed_saga(id): a record that was packed, with what its entries tell, or nil.
local function packed_saga(id)
  local state, entries, beside = packing(id)
  if not state then
    return nil
  end
  local saga = {}
  for entry in string.gmatch(entries, '%S+') do
    local found = redis.call('XRANGE', names.log, entry, entry)[1]
    for name, value in pairs(found and payload_of(found[2]) or {}) do
      saga[name] = value
    end
  end
  saga.kind, saga.version, saga.log_id = nil, nil, nil
  return as_packed(saga, state, entries, beside)
end

-- load_saga(id): what is recorded of a saga here, or nil; and as `stored`, whether it is `packed` or has a `record` of its own.
local function load_saga(id)
  local saga = packed_saga(id)
  if saga then
    return saga
  end
  saga = read_record(names.saga .. id)
  if saga then
    saga.stored = 'record'
  end
  return saga
end

-- told_saga(id, state, told): the same of a saga that is nearly always packed in this state, of what a peer has told of it: it
-- has that from the entries of the saga here, so that these need not be read. What was told becomes the saga.
local function told_saga(id, state, told)
  local its_state, entries, beside = packing(id)
  if its_state ~= state then
    return load_saga(id)
  end
  return as_packed(told, state, entries, beside)
end

-- store_saga(id, saga): records all that is known of it, in a record of its own.
local function store_saga(id, saga)
  if trace and not saga.trace and (id == about or not saga.stored) then
    saga.trace = trace
  end
  write_record(names.saga .. id, saga)
  if saga.stored == 'packed' then
    redis.call('HDEL', packs(id), id)
  end
  saga.stored = 'record'
end

-- PACKED_MAX: the longest name or value of a hash that Redis keeps in one piece.
local PACKED_MAX = 64

-- pack_saga(id, saga): packs a saga of which its entries tell the rest; false if they do not, or are too many.
local function pack_saga(id, saga)
  if not can_be_packed(saga) or saga.again then
    return false
  end
  local packed = packed_text(saga)
  if #packed > PACKED_MAX or #id > PACKED_MAX then
    return false
  end
  if saga.stored == 'record' then
    redis.call('DEL', names.saga .. id)
  end
  redis.call('HSET', packs(id), id, packed)
  saga.stored = 'packed'
  return true
end

-- emit(id, saga, state): appends the entry that a state stands for, and adds it to the saga's list. Returns when.
local function emit(id, saga, state)
  local kind = emits[state]
  -- What this command is about, or has made, goes on in its trace.
  if trace and (id == about or not saga.stored) then
    saga.trace = trace
  end
  local entry = append(kind, id, payload(kind, saga), saga.trace)
  saga.entries = saga.entries and saga.entries .. ' ' .. entry or entry
  return appended_ms(entry)
end

-- emit_saga(id, saga, state): moves a saga to a state, emits its entry and records it.
local function emit_saga(id, saga, state)
  saga.state = state
  local at_ms = emit(id, saga, state)
  if not pack_saga(id, saga) then
    store_saga(id, saga)
  end
  place(id, saga, at_ms)
end

-- emit_again(id, saga): emits the entry of its state once more, with the trace that it had. For a saga that hangs that is done again and
-- again, so no more than the last time is recorded.
local function emit_again(id, saga)
  local kind = emits[saga.state]
  saga.again = append(kind, id, payload(kind, saga), saga.trace)
  store_saga(id, saga)
  place(id, saga, appended_ms(saga.again))
end

-- is_recorded(id): whether anything is recorded of a saga: a new one costs half as much as if it were loaded.
local function is_recorded(id)
  return redis.call('HEXISTS', packs(id), id) == 1 or redis.call('EXISTS', names.saga .. id) == 1
end
