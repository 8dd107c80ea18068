--- @include "move"
-- close: no place is reserved for a parcel, or any more.
-- ARGS     log_id
-- RETURNS  over | repeated
function commands.close(args) return move(args.log_id, { open = true, revoked = true }, 'over') end
