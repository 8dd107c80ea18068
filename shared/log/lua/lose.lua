--- @include "entry-id"
-- lose: notes that a publisher has lost the tail of its log, and puts the cursor back to what is left of it: ids may be given
-- again above that. The last hundred losses are kept, for as long as the log is.
-- What this service has learnt by asking the publisher, `names.known_at`, is forgotten with it, if it keeps any.
-- ARGS     publisher, after, tail
-- RETURNS  noted
function commands.lose(args)
  local cursor_ms, cursor_sequence = position(redis.call('HGET', names.cursors, args.publisher) or '0-0')
  redis.call('XADD', names.lost, 'MAXLEN', 100, '*', 'tail', args.tail)
  if later(cursor_ms, cursor_sequence, position(args.after)) then
    redis.call('HSET', names.cursors, args.publisher, args.after)
  end
  if names.known_at then
    redis.call('UNLINK', names.known_at .. args.publisher)
  end
  return { 'noted' }
end
