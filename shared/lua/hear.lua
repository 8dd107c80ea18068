-- hear: applies a batch of a neighbour's entries, in order, and moves the cursor in the same step.
-- ARGV  speaker, the cursor as the reader knows it, the last entry read, then for each entry that matters here: its id,
--       deed ('' if it is malformed), what is wrong with it or '', the number of its fields, then field, value, ...
-- An entry at or before the cursor was applied already: it is passed over, which makes the cursor a fence. One that
-- cannot be applied goes to the dead letters with its error. Returns one reply for each entry; or {'gap', cursor} and
-- does nothing if the cursor stands before where the reader believes it: this Redis came back older.
local function position(id)
  local ms, sequence = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(sequence)
end
local function later(ms, sequence, than_ms, than_sequence)
  return ms > than_ms or (ms == than_ms and sequence > than_sequence)
end
local speaker, known, last = ARGV[1], ARGV[2], ARGV[3]
local stored = redis.call('HGET', names.cursors, speaker) or '0-0'
local cursor_ms, cursor_sequence = position(stored)
local known_ms, known_sequence = position(known)
if later(known_ms, known_sequence, cursor_ms, cursor_sequence) then
  return { 'gap', stored }
end
local cursor
local function pass(id)
  local ms, sequence = position(id)
  if not later(ms, sequence, cursor_ms, cursor_sequence) then
    return false
  end
  cursor, cursor_ms, cursor_sequence = id, ms, sequence
  return true
end
local function bury(id, why, fields)
  redis.call('XADD', names.dead, '*', 'speaker', speaker, 'entry', id, 'error', why, 'fields', cjson.encode(fields))
  return { 'buried', id, why }
end
local replies = {}
local at = 4
while at <= #ARGV do
  local id, deed, why, count = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  local first = at + 4
  at = first + count
  if not pass(id) then
    replies[#replies + 1] = { 'passed' }
  elseif deed == '' then
    replies[#replies + 1] = bury(id, why, { unpack(ARGV, first, at - 1) })
  else
    local facts = {}
    for index = first, at - 2, 2 do
      facts[ARGV[index]] = ARGV[index + 1]
    end
    local done, reply = pcall(deeds[deed], facts)
    if done then
      replies[#replies + 1] = reply
    else
      why = type(reply) == 'table' and reply.err or tostring(reply)
      replies[#replies + 1] = bury(id, why, { unpack(ARGV, first, at - 1) })
    end
  end
end
pass(last)
if cursor then
  redis.call('HSET', names.cursors, speaker, cursor)
end
return replies
