--- @include "order"
--- @include "single"
-- place_order(args, lines, costs): makes an order whole, as it is to be paid. Returns its number, and when that was.
local function place_order(args, lines, costs)
  local placed = { 'order', args.order, 'user', args.user, 'total', args.total, 'lines', lines, 'costs', costs }
  if args.method then
    for _, text in ipairs({ 'method', args.method, 'installments', args.installments }) do
      placed[#placed + 1] = text
    end
  end
  emit_single('OrderPlaced', args.log_id, placed)
  return open_order(args, args.total, lines, costs, '1')
end
