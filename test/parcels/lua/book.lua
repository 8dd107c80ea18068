--- @include "saga"
-- book: books a place in a van for a parcel.
-- ARGS     log_id, van, patience_ms (until the deadline)
-- RETURNS  booked
function commands.book(args)
  local deadline = integer(now_ms() + tonumber(args.patience_ms))
  emit_saga(args.log_id, { van = args.van, deadline = deadline }, 'open')
  return { 'booked' }
end
