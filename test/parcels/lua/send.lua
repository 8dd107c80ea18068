--- @include "move"
-- send: a parcel for which a place is reserved is sent.
-- FACTS    log_id
-- RETURNS  sent | repeated
function commands.send(facts) return move(facts.log_id, { open = true }, 'sent') end
