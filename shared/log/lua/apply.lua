--- @include "entry"
--- @include "entry-id"
--- @include "log"
-- apply: applies a batch of a peer's entries, in order, and moves the cursor in the same step.
-- ARGV  publisher, the cursor as the reader knows it, the last entry read, then for each entry that is handled here: its id,
--       kind, text, and '' ; of a malformed one its id, '', what is wrong with it, and its fields as JSON, as they were
--       read. A flat entry of an older version has a text, and its fields as well.
-- An entry at or before the cursor was applied already: it is passed over, which makes the cursor a fence. One that
-- cannot be applied goes to the dead letters with its error; one that is emitted again and is applied ends its letter.
-- Returns one reply for each entry; or {'gap', cursor} and does nothing if the cursor stands before where the reader
-- believes it: this Redis came back older.
local publisher, known, last = ARGV[1], ARGV[2], ARGV[3]
local stored = redis.call('HGET', names.cursors, publisher) or '0-0'
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
-- content_of(fields): by this a letter is found again.
local function content_of(fields)
  return redis.sha1hex(publisher .. ' ' .. fields)
end
-- Nearly always there is no letter, which is asked once for all entries.
local letters_wait
local function do_letters_wait()
  if letters_wait == nil then
    local letters = redis.call('XLEN', names.dead)
    letters_wait = letters > 0
      and letters > redis.call('HLEN', names.applied) + redis.call('HLEN', names.dismissed)
  end
  return letters_wait
end
-- end_letter(fields, result): what a letter says was emitted again, and is applied now.
local function end_letter(fields, result)
  local letter = redis.call('HGET', names.letters, content_of(fields))
  if is_waiting(letter) and redis.call('HEXISTS', names.dismissed, letter) == 0 then
    redis.call('HSET', names.applied, letter, integer(now_ms()) .. ' ' .. result)
  end
end
-- dead_letter(id, why, fields): puts an entry aside. One that is emitted again and cannot be applied again is the same letter,
-- or a saga that hangs would fill the dead letters, for it is emitted again and again.
local function dead_letter(id, why, fields)
  local content = content_of(fields)
  letters_wait = true
  if not is_waiting(redis.call('HGET', names.letters, content)) then
    local letter = redis.call('XADD', names.dead, '*', 'speaker', publisher, 'entry', id, 'error', why, 'fields', fields)
    redis.call('HSET', names.letters, content, letter)
  end
  return { 'dead-lettered', id, why }
end
local replies = {}
for at = 4, #ARGV, 4 do
  local id, kind, text, fields = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local reply
  if not pass(id) then
    reply = { 'passed' }
  elseif kind == '' then
    reply = dead_letter(id, text, fields)
  else
    local done
    done, reply = pcall(commands[follows[kind]], payload_in(text))
    if not done then
      local why = type(reply) == 'table' and reply.err or tostring(reply)
      reply = dead_letter(id, why, fields ~= '' and fields or cjson.encode({ kind, text }))
    elseif do_letters_wait() then
      end_letter(fields ~= '' and fields or cjson.encode({ kind, text }), reply[1])
    end
  end
  replies[#replies + 1] = reply
end
write_gathered()
pass(last)
if cursor then
  redis.call('HSET', names.cursors, publisher, cursor)
end
return replies
