--- @include "move"
-- close: no place is reserved for a parcel, or any more.
-- FACTS    log_id
-- RETURNS  over | repeated
function commands.close(facts) return move(facts.log_id, { open = true, revoked = true }, 'over') end
