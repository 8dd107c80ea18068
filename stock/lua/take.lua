--- @often
--- @include "shelf"
--- @include "ledger"
--- @rarely "brought"
-- take: takes all lines of a checkout off the shelf, or none; but for what refunds have brought back of it that were known before it.
-- ARGS     log_id, order, user, total, lines, amends, back, costs (these three of an amendment), refunds (if any was known before)
-- RETURNS  taken | refused | repeated
function commands.take(args)
  local id = args.log_id
  local saga = is_recorded(id) and load_saga(id)
  if saga then
    emit_again(id, saga)
    return { 'repeated' }
  end
  saga = {
    order = args.order, user = args.user, total = args.total, lines = args.lines, amends = args.amends, back = args.back,
    costs = args.costs,
  }
  local off, brought = saga.lines, nil
  if args.refunds then
    off, brought = rarely.brought_before(saga.lines, args.refunds)
  end
  for item, quantity in each_line(off) do
    local stock = redis.call('HGET', names.item .. item, 'stock')
    if not stock or stock - quantity < 0 then
      saga.item = item
      emit_saga(id, saga, 'refused')
      return { 'refused' }
    end
  end
  for item, quantity in each_line(off) do
    redis.call('HINCRBY', names.item .. item, 'stock', minus(quantity))
  end
  post_lines('taken', 1, saga.lines)
  if brought then
    rarely.note_brought(saga, off, brought)
  end
  emit_saga(id, saga, 'taken')
  return { 'taken' }
end
