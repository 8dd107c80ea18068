--- @include "log"
-- drop: takes a saga out of the index of unfinished ones, because it is not unfinished.
-- FACTS    log_id
-- RETURNS  dropped
-- WRITES   nothing that takes memory
function deeds.drop(facts)
  redis.call('ZREM', names.open, facts.log_id)
  return { 'dropped' }
end
