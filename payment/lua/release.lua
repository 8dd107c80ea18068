--- @include "pay-back"
--- @include "wallet"
-- release: undoes whatever was done for a cancelled checkout, by the opposite command: lets held money go, gives captured
-- money back. If nothing was done yet, the record is a tombstone that makes a later hold refuse.
-- ARGS     log_id, order, user, total
-- RETURNS  released | repeated
function commands.release(args)
  local id = args.log_id
  local saga = load_saga(id)
  if not saga then
    saga = { order = args.order, user = args.user, total = args.total, lines = '' }
  elseif saga.state == 'released' then
    return repeated(id, saga)
  elseif saga.state == 'held' then
    redis.call('HINCRBY', names.user .. saga.user, 'held', minus(saga.total))
  elseif saga.state == 'captured' then
    undo_capture(id, saga)
  elseif saga.state == 'waiting' then
    redis.call('LREM', names.waiting .. saga.user, 1, id)
  end
  forget_refunded(id, saga)
  emit_saga(id, saga, 'released')
  serve(saga.user)
  return { 'released' }
end
