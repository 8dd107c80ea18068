--- @include "saga"
-- book: books a place in a van for a parcel.
-- FACTS    log_id, van, patience_ms (until the deadline)
-- RETURNS  booked
function commands.book(facts)
  local deadline = integer(now_ms() + tonumber(facts.patience_ms))
  emit_saga(facts.log_id, { van = facts.van, deadline = deadline }, 'open')
  return { 'booked' }
end
