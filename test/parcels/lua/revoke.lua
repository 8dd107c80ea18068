--- @include "move"
-- revoke: a parcel that was not sent in time is not to be.
-- ARGS     log_id
-- RETURNS  revoked | repeated
function commands.revoke(args) return move(args.log_id, { open = true }, 'revoked') end
