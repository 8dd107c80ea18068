-- records: what is recorded of sagas here: of those that are named, or else of one page of all.
-- FACTS    cursor, page, log_ids (separated by spaces)
-- RETURNS  the next cursor, `0` after the last page, then each saga as its log id and its record: field, value, ...
-- WRITES   nothing
function deeds.records(facts)
  local reply = { '0' }
  local function add(id)
    reply[#reply + 1] = { id, redis.call('HGETALL', names.saga .. id) }
  end
  if facts.log_ids ~= '' then
    for id in string.gmatch(facts.log_ids, '%S+') do
      add(id)
    end
    return reply
  end
  local found = redis.call('SCAN', facts.cursor, 'MATCH', names.saga .. '*', 'COUNT', facts.page)
  reply[1] = found[1]
  for _, key in ipairs(found[2]) do
    add(string.sub(key, #names.saga + 1))
  end
  return reply
end
