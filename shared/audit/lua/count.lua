--- @include "things"
-- count: reads one page of all things that this service counts, with their balances now. A thing may be met twice.
-- ARGS     cursor, page
-- RETURNS  the next cursor, `0` after the last page, the ids of the things and their balances, a line each
-- WRITES   nothing
function commands.count(args)
  local found = redis.call('SCAN', args.cursor, 'MATCH', names.counted .. '*', 'COUNT', args.page)
  local ids, from = {}, #names.counted + 1
  for at, key in ipairs(found[2]) do
    ids[at] = string.sub(key, from)
  end
  return { found[1], things(ids) }
end
