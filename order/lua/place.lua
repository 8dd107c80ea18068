--- @include "single"
--- @include "order"
-- place: opens an order with all its lines, of which each knows what it costs.
-- ARGS     log_id, order, user, total, lines, costs, method, installments (if it is said how it is to be paid)
-- RETURNS  placed, order, log_id, number, at, costs
function commands.place(args)
  local placed = { 'order', args.order, 'user', args.user, 'total', args.total, 'lines', args.lines, 'costs', args.costs }
  if args.method then
    for _, text in ipairs({ 'method', args.method, 'installments', args.installments }) do
      placed[#placed + 1] = text
    end
  end
  emit_single('OrderPlaced', args.log_id, placed)
  local number, at = open_order(args, args.total, args.lines, args.costs)
  return { 'placed', args.order, args.log_id, number, at, args.costs }
end
