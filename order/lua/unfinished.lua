--- @include "log"
-- unfinished: the checkouts that are not finished here, the longest silent first.
-- FACTS    limit
-- RETURNS  the time now, then for each: its log id, state ('' if there is no record), when it was last spoken of, and
--          its deadline
-- WRITES   nothing
function deeds.unfinished(facts)
  local open = redis.call('ZRANGE', names.open, 0, tonumber(facts.limit) - 1, 'WITHSCORES')
  local reply = { integer(now_ms()) }
  for at = 1, #open, 2 do
    local found = redis.call('HMGET', names.saga .. open[at], 'state', 'deadline')
    reply[#reply + 1] = { open[at], found[1] or '', open[at + 1], found[2] or '0' }
  end
  return reply
end
