--- @include "log"
--- @rarely "lock-token"
-- do: commands, asked for by requests that came at about the same time; each runs as if it were alone.
-- ARGV  for each request: its command, and the command's arguments: a line `name=value` for each; among them `owner`, `done_by` and
--       `trace`, see log.lua; `read_ms`, the time as it was read for it; and, if it bears an Idempotency-Key, that as
--       `idempotency_key` and as `fingerprint` the request in one line
-- A command returns its reply, a list of texts, the first of which is its result; a second value `true` says that the same
-- request may meet another answer later, so that it is not remembered, only when it was returned; and 'unsaid' that no client is
-- told and the same is asked once more: then not even that. Under a key, the first answer is given again to the same request, and
-- another request gets {'key-reused'}; an answer to what changed nothing is remembered for a short while. What was asked for too
-- long ago, or has been refused in passing under its key since, is not done: {'late'}; see fence.ts. What bears the token of a
-- lock is done only if the thing that it is about has seen no higher one: see lock-token.lua. Returns for each request three
-- things in a row, for Redis takes longer for lists: the command's reply, or the error that kept it from its end; and of the
-- entry that it appended the stream id, and its kind and text, '' if there is none.
local function is_late(read_ms, passed_ms)
  local age_ms = now_ms() - read_ms
  return age_ms < 0 or age_ms > limits.fresh_ms or passed_ms >= read_ms
end
local function answer(command, text)
  local args = {}
  for name, value in string.gmatch(text, '([^=]+)=([^\n]*)\n') do
    args[name] = value
  end
  local key, request = args.idempotency_key, args.fingerprint
  local passed_ms = 0
  if key then
    local remembered = redis.call('GET', names.request .. key)
    local before = remembered and cjson.decode(remembered)
    if type(before) == 'table' then
      return before[1] == request and before[2] or { 'key-reused' }
    end
    passed_ms = before or 0
  end
  if args.read_ms and is_late(tonumber(args.read_ms), passed_ms) then
    return { 'late' }
  end
  owner, done_by, trace, about = args.owner, args.done_by, args.trace, args.log_id
  local before = lasting_count
  local reply, passing = args.fence and rarely.stale_token(args), true
  if not reply then
    reply, passing = commands[command](args)
  end
  if key and passing == true then
    redis.call('SET', names.request .. key, integer(now_ms()), 'PX', 2 * limits.fresh_ms)
  elseif key and not passing then
    local kept_ms = lasting_count > before and limits.retention_ms or limits.unchanged_ms
    redis.call('SET', names.request .. key, cjson.encode({ request, reply }), 'PX', kept_ms)
  end
  return reply
end
local answers = {}
for at = 1, #ARGV, 2 do
  appended, appended_text = '', ''
  local done, reply = pcall(answer, ARGV[at], ARGV[at + 1])
  if not done and type(reply) ~= 'table' then
    reply = { err = tostring(reply) }
  end
  local next = #answers
  answers[next + 1], answers[next + 2], answers[next + 3] = reply, appended, appended_text
end
write_gathered()
return answers
