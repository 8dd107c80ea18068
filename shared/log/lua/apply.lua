--- @include "entry"
--- @include "entry-id"
--- @include "log"
--- @rarely "letters"
-- apply: applies a batch of a peer's entries, in order, and moves the cursor in the same step.
-- ARGV  publisher, the cursor as the reader knows it, the last entry read, then for each entry that is handled here: its id,
--       kind, text, and '' ; of a malformed one its id, '', what is wrong with it, and its fields as JSON, as they were
--       read. A flat entry of an older version has a text, and its fields as well; so has one of a trace, whose text says how that
--       goes on here.
-- An entry at or before the cursor was applied already: it is passed over, which makes the cursor a fence. One that
-- cannot be applied goes to the dead letters with its error; one that is emitted again and is applied ends its letter.
-- Returns one reply for each entry; or {'gap', cursor} and does nothing if the cursor stands before where the reader
-- believes it: this Redis came back older.
local publisher, known, last = ARGV[1], ARGV[2], ARGV[3]
local stored = redis.call('HGET', names.cursors, publisher) or '0-0'
if is_after(known, stored) then
  return { 'gap', stored }
end
local cursor
local function pass(id)
  if not is_after(id, cursor or stored) then
    return false
  end
  cursor = id
  return true
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
-- dead_letter(id, why, fields): puts an entry aside.
local function dead_letter(id, why, fields)
  letters_wait = true
  return rarely.dead_letter(publisher, id, why, fields)
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
    local payload, rest_at = begin_payload(kind, text)
    if rest_at <= #text then
      payload_in(string.sub(text, rest_at), payload)
    end
    trace, about = payload.trace, payload.log_id
    done, reply = pcall(commands[follows[kind]], payload)
    if not done then
      local why = type(reply) == 'table' and reply.err or tostring(reply)
      reply = dead_letter(id, why, fields ~= '' and fields or cjson.encode({ kind, text }))
    elseif do_letters_wait() then
      rarely.end_letter(publisher, fields ~= '' and fields or cjson.encode({ kind, text }), reply[1])
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
