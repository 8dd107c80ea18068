--- @include "single"
--- @include "order"
-- place: opens an order with all its lines, of which each knows what it costs.
-- ARGS     log_id, order, user, total, lines, costs
-- RETURNS  placed, order, log_id, number, at, costs
function commands.place(args)
  emit_single('OrderPlaced', args.log_id, { 'order', args.order, 'user', args.user, 'total', args.total,
    'lines', args.lines, 'costs', args.costs })
  local number, at = open_order(args, args.total, args.lines, args.costs)
  return { 'placed', args.order, args.log_id, number, at, args.costs }
end
