--- @include "pay-back"
--- @include "wallet"
-- void: lets held money go, because the goods were refused. Goods refused for a saga that was captured contradict what
-- stock emitted before (it must have lost it): the money is given back, and order learns of it by the entry.
-- ARGS     log_id, item
-- RETURNS  voided | repeated | unknown
function commands.void(args)
  local id = args.log_id
  local saga = load_saga(id)
  if not saga then
    return { 'unknown' }
  end
  if saga.state == 'held' then
    redis.call('HINCRBY', names.user .. saga.user, 'held', minus(saga.total))
  elseif saga.state == 'captured' then
    undo_capture(id, saga)
  else
    return repeated(id, saga)
  end
  forget_refunded(id, saga)
  saga.reason = 'out-of-stock'
  saga.item = args.item
  emit_saga(id, saga, 'voided')
  serve(saga.user)
  return { 'voided' }
end
