--- @include "move"
-- revoke: a parcel that was not sent in time is not to be.
-- FACTS    log_id
-- RETURNS  revoked | repeated
function commands.revoke(facts) return move(facts.log_id, { open = true }, 'revoked') end
