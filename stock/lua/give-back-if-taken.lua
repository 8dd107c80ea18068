--- @include "shelf"
--- @include "give-back"
-- give-back-if-taken: a refusal of credit after goods were taken (payment lost that it had held the money, and has spent
-- it since) puts them back. An ordinary refusal finds nothing taken.
-- FACTS    log_id, order
-- RETURNS  returned | nothing
deeds['give-back-if-taken'] = function(facts)
  local saga = checkout(facts.log_id)
  if not saga or saga.state ~= 'taken' then
    return { 'nothing' }
  end
  return deeds['give-back'](facts)
end
