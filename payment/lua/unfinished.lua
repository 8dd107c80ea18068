--- @include "log"
-- unfinished: the checkouts of which this service has not heard the end, the longest silent first.
-- FACTS    limit
-- RETURNS  the time now, then for each: its log id, state ('' if there is no record), and when it was last spoken of
-- WRITES   nothing
function deeds.unfinished(facts)
  local open = redis.call('ZRANGE', names.open, 0, tonumber(facts.limit) - 1, 'WITHSCORES')
  local reply = { integer(now_ms()) }
  for at = 1, #open, 2 do
    reply[#reply + 1] = { open[at], redis.call('HGET', names.saga .. open[at], 'state') or '', open[at + 1] }
  end
  return reply
end
