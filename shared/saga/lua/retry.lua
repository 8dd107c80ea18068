--- @include "ended-by-hand"
--- @include "entry-id"
--- @include "saga"
-- retry: applies the entry of a dead letter at last, and marks the letter with what came of it; the letter itself stays. One
-- whose saga can no longer be judged is never applied: nothing is recorded of it, but something may have been since the letter
-- was put aside.
-- ARGS     letter, command (which follows its entry, or ''), reason (why none does)
-- RETURNS  applied, reply (of the command that follows) | repeated, when, result | dismissed, when
--          or in passing: failed, error | unknown

-- cannot_be_judged(letter, log_id): records end with entries of this log, so one that was made after the letter was is here,
-- unless the log was trimmed beyond that.
local function cannot_be_judged(letter, log_id)
  local trimmed = redis.call('GET', names.trimmed)
  if not trimmed or is_recorded(log_id) then
    return false
  end
  local ms, sequence = position(trimmed)
  return later(ms, sequence, position(letter))
end

function commands.retry(args)
  local found = redis.call('XRANGE', names.dead, args.letter, args.letter)[1]
  if not found then
    return { 'unknown' }, true
  end
  local before = redis.call('HGET', names.applied, args.letter)
  if before then
    return { 'repeated', string.match(before, '^(%d+) (.*)$') }
  end
  local given_up = redis.call('HGET', names.dismissed, args.letter)
  if given_up then
    return { 'dismissed', given_up }
  end
  if args.command == '' then
    return { 'failed', args.reason }, true
  end
  local fields = payload_of(cjson.decode(payload_of(found[2]).fields))
  if cannot_be_judged(args.letter, fields.log_id) then
    return { 'failed', 'nothing is known of ' .. fields.log_id .. ' any more, so it can no longer be judged' }, true
  end
  trace, about = fields.trace, fields.log_id
  local done, reply = pcall(commands[args.command], fields)
  if not done then
    return { 'failed', type(reply) == 'table' and reply.err or tostring(reply) }, true
  end
  ended_by_hand('DeadLetterRetried', found, reply[1])
  redis.call('HSET', names.applied, args.letter, integer(now_ms()) .. ' ' .. reply[1])
  return { 'applied', unpack(reply) }
end
