--- @include "finished"
--- @include "refund"
-- conclude: the goods of a refund are back on the shelf, or written off, so that nothing of it is left to be done. One that is
-- unknown here (this Redis came back older) was paid and is not any more: it is paid again, by which order learns of it as well,
-- should it have lost it, too; stock answers once more.
-- ARGS     log_id, order, user, total, lines, restock, amends, checkouts (these two if stock was told)
-- RETURNS  concluded | refunded | repeated
function commands.conclude(args)
  local id = args.log_id
  local saga = load_saga(id)
  if not saga then
    return commands.refund(args)
  end
  if saga.state ~= 'refunded' then
    return { 'repeated' }
  end
  finish_saga(id, saga, 'concluded')
  return { 'concluded' }
end
