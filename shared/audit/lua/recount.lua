--- @include "entry"
--- @include "log"
--- @include "newest"
--- @include "things"
-- recount: reads again what was touched by the entries that follow `after`, as far as the bounds allow. Once nothing
-- follows, all is known as it stands at this moment, the ledger with it.
-- ARGS     after, entries, things
-- RETURNS  the last entry that was looked at, the newest one, the ledger (field, value, ...), the ids of the things and
--          their balances, a line each
-- WRITES   nothing
function commands.recount(args)
  local last = args.after
  local ids, seen = {}, {}
  local function touch(id)
    if not seen[id] then
      seen[id] = true
      ids[#ids + 1] = id
    end
  end
  for _, entry in ipairs(redis.call('XRANGE', names.log, '(' .. args.after, '+', 'COUNT', args.entries)) do
    local payload = payload_of(entry[2])
    counted.touched(payload, touch)
    if payload.first then
      for number = tonumber(payload.first), tonumber(payload.last) do
        touch(integer(number))
      end
    end
    last = entry[1]
    if #ids >= tonumber(args.things) then
      break
    end
  end
  return { last, newest(), redis.call('HGETALL', names.ledger), things(ids) }
end
