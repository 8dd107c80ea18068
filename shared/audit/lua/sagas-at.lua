--- @include "entry-id"
--- @include "packed"
-- sagas-at: what was last emitted here of some sagas at a moment: when `at` was the newest entry.
-- ARGS     at, log_ids (separated by spaces)
-- RETURNS  the sagas, each as its log id, that entry's kind ('' if there was none), and its payload: name, value, ...
-- WRITES   nothing
commands['sagas-at'] = function(args)
  local at_ms, at_sequence = position(args.at)
  local function last_of(id)
    local last, last_ms, last_sequence = nil, 0, 0
    local recorded = redis.call('HMGET', names.saga .. id, 'entries', 'again')
    recorded[3] = select(2, packing(id))
    for _, entries in pairs(recorded) do
      for entry in string.gmatch(entries or '', '%S+') do
        local ms, sequence = position(entry)
        if not later(ms, sequence, at_ms, at_sequence) and later(ms, sequence, last_ms, last_sequence) then
          last, last_ms, last_sequence = entry, ms, sequence
        end
      end
    end
    return last and redis.call('XRANGE', names.log, last, last)[1]
  end
  local reply = {}
  for id in string.gmatch(args.log_ids, '%S+') do
    local entry = last_of(id)
    reply[#reply + 1] = { id, entry and entry[2] or {} }
  end
  return reply
end
