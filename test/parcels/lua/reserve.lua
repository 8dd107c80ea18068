--- @include "saga"
-- reserve: reserves a place in a van, once.
-- ARGS     log_id, van
-- RETURNS  reserved | freed | repeated
function commands.reserve(args)
  local saga = load_saga(args.log_id)
  if saga then emit_again(args.log_id, saga) return { 'repeated' } end
  local state = tonumber(redis.call('GET', names.van .. args.van) or '0') > 0 and 'reserved' or 'freed'
  if state == 'reserved' then redis.call('DECR', names.van .. args.van) end
  emit_saga(args.log_id, { van = args.van }, state)
  return { state }
end
