--- @include "checkout"
--- @include "drop"
-- tell-again: repeats the last thing said of an unfinished checkout, for a listener that did not act on it.
-- FACTS    log_id
-- RETURNS  told | finished | unknown
deeds['tell-again'] = function(facts)
  local id = facts.log_id
  local saga = checkout(id)
  if not saga or (saga.state ~= 'checking-out' and saga.state ~= 'cancelling') then
    deeds.drop(facts)
    return { saga and 'finished' or 'unknown' }
  end
  keep_open(id, tell_again(id, says[saga.state], saying(saga)))
  return { 'told' }
end
