--- @include "log"
-- do: one deed, asked for by a request.
-- ARGV  deed, the request's Idempotency-Key or '', the request in one line, then the deed's facts: name, value, ...
-- A deed returns its reply, a list of words; a second value `true` says that the same request may meet another answer
-- later, so that it is not remembered. Under a key, the first answer is given again to the same request, and another
-- request is told {'key-reused'}. Returns the deed's reply, and the entry that it recorded, if any.
local key = ARGV[2]
if key ~= '' then
  local remembered = redis.call('GET', names.request .. key)
  if remembered then
    local request = cjson.decode(remembered)
    if request[1] ~= ARGV[3] then
      return { { 'key-reused' } }
    end
    return { request[2] }
  end
end
local facts = {}
for at = 4, #ARGV, 2 do
  facts[ARGV[at]] = ARGV[at + 1]
end
local reply, passing = deeds[ARGV[1]](facts)
if key ~= '' and not passing then
  redis.call('SET', names.request .. key, cjson.encode({ ARGV[3], reply }), 'EX', limits.retention_s)
end
return { reply, recorded }
