--- @include "entry"
--- @include "log"
-- retry: applies the entry of a dead letter at last, and marks the letter with what came of it; the letter itself stays.
-- FACTS    letter, deed (which follows its entry, or ''), wrong (why none does)
-- RETURNS  applied, the deed's word and what belongs to it | repeated, when it was applied and the word | dismissed, when
--          or in passing: failed, error | unknown
function deeds.retry(facts)
  local found = redis.call('XRANGE', names.dead, facts.letter, facts.letter)[1]
  if not found then
    return { 'unknown' }, true
  end
  local before = redis.call('HGET', names.applied, facts.letter)
  if before then
    return { 'repeated', string.match(before, '^(%d+) (.*)$') }
  end
  local given_up = redis.call('HGET', names.dismissed, facts.letter)
  if given_up then
    return { 'dismissed', given_up }
  end
  if facts.deed == '' then
    return { 'failed', facts.wrong }, true
  end
  local letter = facts_of(found[2])
  local done, reply = pcall(deeds[facts.deed], facts_of(cjson.decode(letter.fields)))
  if not done then
    return { 'failed', type(reply) == 'table' and reply.err or tostring(reply) }, true
  end
  redis.call('HSET', names.applied, facts.letter, integer(now_ms()) .. ' ' .. reply[1])
  return { 'applied', unpack(reply) }
end
