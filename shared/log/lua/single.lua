--- @include "log"
-- emit_said(kind, log_id, payload): appends the entry of a command that is complete in itself (no saga), and keeps its
-- stream id under its log id for as long as the entry is kept. The caller of the command gets the entry, too.
local function emit_said(kind, log_id, payload)
  local entry, text = append(kind, log_id, payload)
  redis.call('SET', names.entries .. log_id, entry)
  appended, appended_text = entry, kind .. ' ' .. text
  return entry
end

-- emit_single(kind, log_id, facts): the same, of facts that are a list of names and values in turn.
local function emit_single(kind, log_id, facts)
  local fields = {}
  for at = 1, #facts, 2 do
    fields[#fields + 1] = facts[at] .. '=' .. facts[at + 1]
  end
  return emit_said(kind, log_id, table.concat(fields, ' '))
end
