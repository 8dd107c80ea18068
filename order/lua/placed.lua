--- @include "order"
--- @include "single"
-- place_order(args, lines, costs): makes an order whole, as it is to be paid. Returns its number, and when that was.
local function place_order(args, lines, costs)
  local placed = 'order=' .. args.order .. ' user=' .. args.user .. ' total=' .. args.total .. ' lines=' .. lines .. ' costs=' .. costs
  if args.method then
    placed = placed .. ' method=' .. args.method .. ' installments=' .. args.installments
  end
  emit_said('OrderPlaced', args.log_id, placed)
  if args.method then
    return open_order(args, args.total, lines, costs, 'billed', '1', 'method', args.method, 'installments', args.installments)
  end
  return open_order(args, args.total, lines, costs, 'billed', '1')
end
