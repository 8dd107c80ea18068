--- @include "checkout"
-- fail: money or goods were refused, so the order is open again. A refusal of what was paid is the one contradiction that
-- no rule can mend (a peer lost what it did, and cannot do it again): the order is listed by name.
-- FACTS    log_id, reason, item
-- RETURNS  failed, decision | contradicted, saga, by, order | repeated | unknown
function commands.fail(facts)
  local id = facts.log_id
  local saga = load_saga(id)
  if not saga then
    return { 'unknown' }
  end
  if saga.state == 'paid' then
    return contradict(id, saga, facts.reason)
  end
  if saga.state ~= 'checking-out' then
    return { 'repeated' }
  end
  saga.reason = facts.reason
  saga.item = facts.item or ''
  order_status(id, saga, 'open')
  emit_saga(id, saga, 'failed')
  announce(id, saga)
  return decision('failed', id, saga)
end
