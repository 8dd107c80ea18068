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
  local letter = {}
  for at = 1, #found[2], 2 do
    letter[found[2][at]] = found[2][at + 1]
  end
  local fields, entry = cjson.decode(letter.fields), {}
  for at = 1, #fields - 1, 2 do
    entry[fields[at]] = fields[at + 1]
  end
  local done, reply = pcall(deeds[facts.deed], entry)
  if not done then
    return { 'failed', type(reply) == 'table' and reply.err or tostring(reply) }, true
  end
  redis.call('HSET', names.applied, facts.letter, integer(now_ms()) .. ' ' .. reply[1])
  return { 'applied', unpack(reply) }
end
