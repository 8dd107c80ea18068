--- @include "shelf"
--- @include "give-back"
-- give-back-if-taken: money that is refused, voided or released takes the goods of its checkout back with it. Ordinarily
-- none are taken then, or order has said so, too; but payment may have lost that it had held the money and has spent it
-- since, stock may have lost that it had refused, and order that it had cancelled.
-- FACTS    log_id, order
-- RETURNS  returned | nothing
deeds['give-back-if-taken'] = function(facts)
  local saga = checkout(facts.log_id)
  if not saga or saga.state ~= 'taken' then
    return { 'nothing' }
  end
  return deeds['give-back'](facts)
end
