--- @include "shelf"
-- give-back: puts the goods of a cancelled checkout back on the shelf. If none were taken yet, the record is a tombstone
-- that makes a later take refuse.
-- FACTS    log_id, order, lines
-- RETURNS  returned | repeated
deeds['give-back'] = function(facts)
  local id = facts.log_id
  local saga = checkout(id) or { order = facts.order, lines = facts.lines }
  if saga.state == 'returned' then
    answer(id, saga, 'returned')
    return { 'repeated' }
  end
  if saga.state == 'taken' then
    for item, quantity in each_line(saga.lines) do
      redis.call('HINCRBY', names.item .. item, 'stock', quantity)
    end
  end
  answer(id, saga, 'returned')
  return { 'returned' }
end
