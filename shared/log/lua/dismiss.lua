--- @include "log"
-- dismiss: gives up a dead letter whose entry is never to be applied: it waits no longer; the letter itself stays.
-- FACTS    letter
-- RETURNS  dismissed, when | repeated, when | applied, or in passing: unknown
function commands.dismiss(facts)
  if #redis.call('XRANGE', names.dead, facts.letter, facts.letter) == 0 then
    return { 'unknown' }, true
  end
  if redis.call('HEXISTS', names.applied, facts.letter) == 1 then
    return { 'applied' }
  end
  local now = integer(now_ms())
  if redis.call('HSETNX', names.dismissed, facts.letter, now) == 0 then
    return { 'repeated', redis.call('HGET', names.dismissed, facts.letter) }
  end
  lasting()
  return { 'dismissed', now }
end
