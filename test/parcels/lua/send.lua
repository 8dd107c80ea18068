--- @include "move"
-- send: a parcel for which a place is reserved is sent.
-- ARGS     log_id
-- RETURNS  sent | repeated
function commands.send(args) return move(args.log_id, { open = true }, 'sent') end
