--- @include "placed"
--- @include "customers"
-- place: opens an order with all its lines, of which each knows what it costs.
-- ARGS     log_id, order, user, total, lines, costs, method, installments (if it is said how it is to be paid),
--          customer (new, if payment was asked for the user; known, if it is not to be made for one of whom it was not)
-- RETURNS  placed, order, log_id, number, at, costs
--          or in passing: stranger
function commands.place(args)
  if is_stranger(args) then
    return { 'stranger' }, 'unsaid'
  end
  local number, at = place_order(args, args.lines, args.costs)
  note_customer(args)
  return { 'placed', args.order, args.log_id, number, at, args.costs }
end
