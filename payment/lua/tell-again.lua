--- @include "wallet"
-- tell-again: repeats what was decided of a checkout, for a listener that did not act on it; one that waits is looked at
-- once more.
-- FACTS    log_id
-- RETURNS  told | served | unknown
deeds['tell-again'] = function(facts)
  local id = facts.log_id
  local saga = checkout(id)
  if not saga then
    redis.call('ZREM', names.open, id)
    return { 'unknown' }
  end
  if saga.state == 'waiting' then
    keep_open(id, integer(now_ms()))
    serve(saga.user)
    return { 'served' }
  end
  answer_again(id, saga)
  return { 'told' }
end
