--- @include "wallet"
-- capture: takes held money for good, because the goods were taken.
-- FACTS    log_id
-- RETURNS  captured | repeated | unknown
function deeds.capture(facts)
  local id = facts.log_id
  local saga = checkout(id)
  if not saga then
    return { 'unknown' }
  end
  if saga.state ~= 'held' then
    return repeated(id, saga)
  end
  redis.call('HINCRBY', names.user .. saga.user, 'credit', minus(saga.total))
  redis.call('HINCRBY', names.user .. saga.user, 'held', minus(saga.total))
  decide(id, saga, 'captured')
  serve(saga.user)
  return { 'captured' }
end
