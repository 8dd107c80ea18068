--- @include "saga"
-- reserve: reserves a place in a van, once.
-- FACTS    log_id, van
-- RETURNS  reserved | freed | repeated
function commands.reserve(facts)
  local saga = load_saga(facts.log_id)
  if saga then emit_again(facts.log_id, saga) return { 'repeated' } end
  local state = tonumber(redis.call('GET', names.van .. facts.van) or '0') > 0 and 'reserved' or 'freed'
  if state == 'reserved' then redis.call('DECR', names.van .. facts.van) end
  emit_saga(facts.log_id, { van = facts.van }, state)
  return { state }
end
