--- @include "ended-by-hand"
--- @include "log"
-- dismiss: gives up a dead letter whose entry is never to be applied: it waits no longer; the letter itself stays.
-- ARGS     letter
-- RETURNS  dismissed, when | repeated, when | applied, or in passing: unknown
function commands.dismiss(args)
  local found = redis.call('XRANGE', names.dead, args.letter, args.letter)[1]
  if not found then
    return { 'unknown' }, true
  end
  if redis.call('HEXISTS', names.applied, args.letter) == 1 then
    return { 'applied' }
  end
  local before = redis.call('HGET', names.dismissed, args.letter)
  if before then
    return { 'repeated', before }
  end
  local now = integer(now_ms())
  ended_by_hand('DeadLetterDismissed', found)
  redis.call('HSET', names.dismissed, args.letter, now)
  return { 'dismissed', now }
end
