--- @include "log"
-- do: deeds of one kind, asked for by requests that came at about the same time; each is done as if it were alone.
-- ARGV  deed, then for each request: its Idempotency-Key or '', the request in one line, the number of the strings that
--       follow, and the deed's facts: name, value, ...
-- A deed returns its reply, a list of words; a second value `true` says that the same request may meet another answer
-- later, so that it is not remembered. Under a key, the first answer is given again to the same request, and another
-- request is told {'key-reused'}. Returns for each request the deed's reply, and the entry that it recorded, if any; or
-- the error that kept it from its end.
local function answer(deed, key, request, from, to)
  if key ~= '' then
    local remembered = redis.call('GET', names.request .. key)
    if remembered then
      local before = cjson.decode(remembered)
      return before[1] == request and before[2] or { 'key-reused' }
    end
  end
  local facts = {}
  for at = from, to, 2 do
    facts[ARGV[at]] = ARGV[at + 1]
  end
  local reply, passing = deeds[deed](facts)
  if key ~= '' and not passing then
    redis.call('SET', names.request .. key, cjson.encode({ request, reply }), 'EX', limits.retention_s)
  end
  return reply
end
local answers = {}
local at = 2
while at <= #ARGV do
  local first = at + 3
  local last = first + tonumber(ARGV[at + 2]) - 1
  recorded = nil
  local done, reply = pcall(answer, ARGV[1], ARGV[at], ARGV[at + 1], first, last)
  if done then
    answers[#answers + 1] = { reply, recorded }
  else
    answers[#answers + 1] = type(reply) == 'table' and reply or { err = tostring(reply) }
  end
  at = last + 1
end
write_gathered()
return answers
