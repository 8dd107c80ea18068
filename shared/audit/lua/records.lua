--- @include "saga"
-- records: what is recorded of sagas here: of those that are named, or else of one page of all. Packed sagas share keys, so
-- that a page is of fewer keys.
-- ARGS     cursor, page, log_ids (separated by spaces)
-- RETURNS  the next cursor, `0` after the last page, then each saga as its log id and its record: field, value, ...
-- WRITES   nothing

-- unpacked(id): a record, packed or not, as a list of names and values.
local function unpacked(id)
  local packed = packed_saga(id)
  if not packed then
    return redis.call('HGETALL', names.saga .. id)
  end
  packed.stored = nil
  local fields = {}
  for name, value in pairs(packed) do
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  return fields
end

function commands.records(args)
  local reply = { '0' }
  local function add(id)
    reply[#reply + 1] = { id, unpacked(id) }
  end
  if args.log_ids ~= '' then
    for id in string.gmatch(args.log_ids, '%S+') do
      add(id)
    end
    return reply
  end
  local found = redis.call('SCAN', args.cursor, 'MATCH', names.sagas .. '*', 'COUNT', integer(args.page / 10))
  reply[1] = found[1]
  for _, key in ipairs(found[2]) do
    if string.sub(key, 1, #names.packed) == names.packed then
      for _, id in ipairs(redis.call('HKEYS', key)) do
        add(id)
      end
    elseif string.sub(key, 1, #names.saga) == names.saga then
      add(string.sub(key, #names.saga + 1))
    end
  end
  return reply
end
