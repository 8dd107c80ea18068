--- @include "log"
-- emit_single(kind, log_id, payload): appends the entry of a command that is complete in itself (no saga), and keeps its
-- stream id under its log id for as long as the entry is kept. The caller of the command gets the entry, too.
local function emit_single(kind, log_id, payload)
  local fields = {}
  for at = 1, #payload, 2 do
    fields[#fields + 1] = payload[at] .. '=' .. payload[at + 1]
  end
  local entry, text = append(kind, log_id, table.concat(fields, ' '))
  redis.call('SET', names.entries .. log_id, entry)
  appended, appended_text = entry, kind .. ' ' .. text
  return entry
end
