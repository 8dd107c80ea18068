--- @often
--- @include "issued"
--- @include "ledger"
--- @include "series"
--- @include "wallet"
--- @rarely "hold"
-- capture: takes held money for good, because the goods were taken, and issues the invoice, which ends the draft of it, unless
-- it is an amendment that costs nothing. Goods are taken only where money is held; if nothing is known of that here (this Redis came
-- back older), it is held again, which stock answers once more. Thus a checkout that order has lost as well is rebuilt.
-- ARGS     log_id, order, user, total, lines (user and total not in entries of older versions), amends, back, costs (these three of an
--          amendment)
-- RETURNS  captured | held | refused | waiting | repeated | unknown
function commands.capture(args)
  local id = args.log_id
  local saga = (args.user and told_saga or load_saga)(id, 'held', args)
  if not saga then
    if not args.user then
      return { 'unknown' }
    end
    return commands.hold(args)
  end
  if saga.state ~= 'held' then
    return repeated(id, saga)
  end
  redis.call('HINCRBY', names.user .. saga.user, 'credit', minus(saga.total))
  redis.call('HINCRBY', names.user .. saga.user, 'held', minus(saga.total))
  post('charged', saga.total)
  if moves_money(saga) then
    saga.invoice = issue('invoices', id, saga)
  end
  end_draft(saga.order)
  emit_saga(id, saga, 'captured')
  serve(saga.user)
  return { 'captured' }
end
