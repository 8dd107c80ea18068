--- @include "log"
-- record(kind, log_id, facts): says the entry of a command that is complete in itself (no saga), and keeps its stream id
-- under its log id for as long as the entry is kept. The caller of the command gets the entry, too.
local function record(kind, log_id, facts)
  local said = {}
  for at = 1, #facts, 2 do
    said[#said + 1] = facts[at] .. '=' .. facts[at + 1]
  end
  local entry, text = say(kind, log_id, table.concat(said, ' '))
  redis.call('SET', names.entries .. log_id, entry)
  recorded = { entry, { kind, text } }
  return entry
end
