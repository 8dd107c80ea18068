--- @include "saga"
-- free: gives the place of a revoked parcel back, or remembers that none is to be reserved for it.
-- ARGS     log_id, van
-- RETURNS  freed | repeated
function commands.free(args)
  local saga = load_saga(args.log_id) or { van = args.van }
  if saga.state == 'freed' then emit_again(args.log_id, saga) return { 'repeated' } end
  if saga.state == 'reserved' then redis.call('INCR', names.van .. saga.van) end
  emit_saga(args.log_id, saga, 'freed')
  return { 'freed' }
end
