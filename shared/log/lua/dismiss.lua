--- @include "log"
-- dismiss: gives up a dead letter whose entry is never to be applied: it waits no longer; the letter itself stays.
-- ARGS     letter
-- RETURNS  dismissed, when | repeated, when | applied, or in passing: unknown
function commands.dismiss(args)
  if #redis.call('XRANGE', names.dead, args.letter, args.letter) == 0 then
    return { 'unknown' }, true
  end
  if redis.call('HEXISTS', names.applied, args.letter) == 1 then
    return { 'applied' }
  end
  local now = integer(now_ms())
  if redis.call('HSETNX', names.dismissed, args.letter, now) == 0 then
    return { 'repeated', redis.call('HGET', names.dismissed, args.letter) }
  end
  lasting()
  return { 'dismissed', now }
end
