--- @include "log"
-- record(kind, log_id, facts): says the entry of a deed that is complete in itself (no saga), and keeps its stream id
-- under its log id for as long as the log is kept. Whoever asked for the deed is given the entry, too.
local function record(kind, log_id, facts)
  local entry = say(kind, log_id, facts)
  redis.call('SET', names.entries .. log_id, entry, 'EX', limits.retention_s)
  recorded = { entry, { 'kind', kind, 'version', limits.version, 'log_id', log_id, unpack(facts) } }
  return entry
end
