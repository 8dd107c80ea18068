--- @include "entry-id"
-- hear: applies a batch of a neighbour's entries, in order, and moves the cursor in the same step.
-- ARGV  speaker, the cursor as the reader knows it, the last entry read, then for each entry that matters here: its id,
--       deed ('' if it is malformed), what is wrong with it or '', the number of its fields, then field, value, ...
-- An entry at or before the cursor was applied already: it is passed over, which makes the cursor a fence. One that
-- cannot be applied goes to the dead letters with its error. Returns one reply for each entry; or {'gap', cursor} and
-- does nothing if the cursor stands before where the reader believes it: this Redis came back older.
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
-- is_waiting(letter): whether a letter is still there, and was not applied at last.
local function is_waiting(letter)
  return letter and #redis.call('XRANGE', names.dead, letter, letter) == 1
    and redis.call('HEXISTS', names.applied, letter) == 0
end
-- bury(id, why, from, to): puts an entry aside, whose fields these arguments are. One that is told again and cannot be
-- applied again is the same letter, or a saga that hangs would fill the dead letters, for it is told again and again. The
-- fields are copied one by one: an entry may have more of them than `unpack` can give.
local function bury(id, why, from, to)
  local fields = {}
  for index = from, to do
    fields[#fields + 1] = ARGV[index]
  end
  local text = cjson.encode(fields)
  local content = redis.sha1hex(speaker .. ' ' .. text)
  if not is_waiting(redis.call('HGET', names.buried, content)) then
    local letter = redis.call('XADD', names.dead, '*', 'speaker', speaker, 'entry', id, 'error', why, 'fields', text)
    redis.call('HSET', names.buried, content, letter)
  end
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
    replies[#replies + 1] = bury(id, why, first, at - 1)
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
      replies[#replies + 1] = bury(id, why, first, at - 1)
    end
  end
end
pass(last)
if cursor then
  redis.call('HSET', names.cursors, speaker, cursor)
end
return replies
