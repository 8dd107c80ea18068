--- @include "newest"
-- cut: the ledger, what is unfinished and how far the logs of the peers were applied, all at one moment, and which entry of the
-- log is the newest then.
-- ARGS     open_max
-- RETURNS  the newest entry, the ledger (field, value, ...), the log ids of sagas that are unfinished here, one more than
--          `open_max` if there are too many, and the cursors (publisher, entry, ...)
-- WRITES   nothing
function commands.cut(args)
  local open = redis.call('ZRANGE', names.open, 0, args.open_max)
  return { newest(), redis.call('HGETALL', names.ledger), open, redis.call('HGETALL', names.cursors) }
end
