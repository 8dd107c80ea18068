--- @include "saga"
-- free: gives the place of a revoked parcel back, or remembers that none is to be reserved for it.
-- FACTS    log_id, van
-- RETURNS  freed | repeated
function commands.free(facts)
  local saga = load_saga(facts.log_id) or { van = facts.van }
  if saga.state == 'freed' then emit_again(facts.log_id, saga) return { 'repeated' } end
  if saga.state == 'reserved' then redis.call('INCR', names.van .. saga.van) end
  emit_saga(facts.log_id, saga, 'freed')
  return { 'freed' }
end
