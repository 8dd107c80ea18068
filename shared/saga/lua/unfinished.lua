--- @include "log"
--- @include "page"
-- unfinished: a page of the sagas that are not finished here, the stalest first.
-- ARGS     limit, after (when the last entry of those that were seen already was appended, or 0)
-- RETURNS  the time now, then for each: its log id, its score in the index, state ('' if there is no record), deadline,
--          when its last entry was appended, and when it began here
-- WRITES   nothing

-- described(found): these columns of what a page holds.
local function described(found)
  local reply = { integer(now_ms()) }
  for at = 1, #found, 2 do
    local id, score = found[at], found[at + 1]
    local saga = redis.call('HMGET', names.saga .. id, 'state', 'deadline', 'entries')
    local last_ms = redis.call('ZSCORE', names.open, id) or '0'
    reply[#reply + 1] = { id, score, saga[1] or '', saga[2] or '0', last_ms, saga[3] and appended_ms(saga[3]) or last_ms }
  end
  return reply
end

function commands.unfinished(args)
  return described(page(names.open, args.after, '+inf', args.limit))
end
