--- @include "checkout"
-- tell-again: repeats the last thing said of an unfinished checkout, for a listener that did not act on it.
-- FACTS    log_id
-- RETURNS  told | finished | unknown
deeds['tell-again'] = function(facts)
  local id = facts.log_id
  local saga = checkout(id)
  if not saga or (saga.state ~= 'checking-out' and saga.state ~= 'cancelling') then
    redis.call('ZREM', names.open, id)
    return { saga and 'finished' or 'unknown' }
  end
  speak(id, saga)
  return { 'told' }
end
