--- @include "log"
--- @include "packed"
--- @include "page"
-- unfinished: a page of the sagas that are not finished here, the stalest first.
-- ARGS     limit, after (when the last entry of those that were seen already was appended, or 0)
-- RETURNS  the time now, then for each: its log id, its score in the index, state ('' if there is no record), deadline,
--          when its last entry was appended, and when it began here
-- WRITES   nothing

-- standing(id): the state of a saga, its deadline and its entries, as far as it is recorded and has them.
local function standing(id)
  local state, entries = packing(id)
  if not state then
    return unpack(redis.call('HMGET', names.saga .. id, 'state', 'deadline', 'entries'))
  end
  return state, redis.call('ZSCORE', names.deadlines, id), entries
end

-- described(found): these columns of what a page holds.
local function described(found)
  local reply = { integer(now_ms()) }
  for at = 1, #found, 2 do
    local id, score = found[at], found[at + 1]
    local state, deadline, entries = standing(id)
    local last_ms = redis.call('ZSCORE', names.open, id) or '0'
    reply[#reply + 1] = { id, score, state or '', deadline or '0', last_ms, entries and appended_ms(entries) or last_ms }
  end
  return reply
end

function commands.unfinished(args)
  return described(page(names.open, args.after, '+inf', args.limit))
end
