--- @include "shelf"
--- @include "ledger"
-- restock: takes the goods of a refund back, once: onto the shelf, or as written off. Its money is back already, so that
-- nothing can be refused. An item that is unknown here is not made, and where there is no room nothing is done: the entry is a
-- dead letter until the goods can be put there.
-- ARGS     log_id, order, user, total, lines, restock (shelf or none)
-- RETURNS  restocked | written-off | repeated
function commands.restock(args)
  local id = args.log_id
  local known = load_saga(id)
  if known then
    emit_again(id, known)
    return { 'repeated' }
  end
  local saga = {
    order = args.order, user = args.user, total = args.total, lines = args.lines, restock = args.restock,
  }
  if saga.restock ~= 'shelf' then
    post_lines('taken', -1, saga.lines)
    post_lines('written-off', 1, saga.lines)
    emit_saga(id, saga, 'written-off')
    return { 'written-off' }
  end
  put_back(saga.lines, true)
  emit_saga(id, saga, 'restocked')
  return { 'restocked' }
end
