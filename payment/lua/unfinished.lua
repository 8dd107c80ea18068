--- @include "log"
--- @include "page"
-- unfinished: a page of the checkouts of which this service has not heard the end, the longest silent first.
-- FACTS    limit, after (when those that were seen already were last spoken of, or 0)
-- RETURNS  the time now, then for each: its log id, when it was last spoken of, state ('' if there is no record), and when
--          it began here
-- WRITES   nothing
function deeds.unfinished(facts)
  local found = page(names.open, facts.after, '+inf', facts.limit)
  local reply = { integer(now_ms()) }
  for at = 1, #found, 2 do
    local id, told = found[at], found[at + 1]
    local saga = redis.call('HMGET', names.saga .. id, 'state', 'entries')
    reply[#reply + 1] = { id, told, saga[1] or '', saga[2] and told_ms(saga[2]) or told }
  end
  return reply
end
