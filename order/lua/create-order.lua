--- @include "single"
--- @include "order"
--- @include "customers"
-- create-order: opens an empty order.
-- ARGS     log_id, order, user, customer (new, if payment was asked for the user; known, if it is not to be made for one of
--          whom it was not)
-- RETURNS  created, order, log_id
--          or in passing: stranger
commands['create-order'] = function(args)
  if is_stranger(args) then
    return { 'stranger' }, 'unsaid'
  end
  emit_single('OrderCreated', args.log_id, { 'order', args.order, 'user', args.user })
  open_order(args, '0', '', '')
  note_customer(args)
  return { 'created', args.order, args.log_id }
end
