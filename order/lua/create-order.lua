--- @include "single"
--- @include "order"
--- @include "customers"
-- create-order: opens an empty order.
-- ARGS     log_id, order, user, customer (new, if payment was asked for the user)
-- RETURNS  created, order, log_id
commands['create-order'] = function(args)
  emit_single('OrderCreated', args.log_id, { 'order', args.order, 'user', args.user })
  open_order(args, '0', '', '')
  note_customer(args)
  return { 'created', args.order, args.log_id }
end
