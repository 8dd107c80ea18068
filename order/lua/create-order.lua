--- @include "single"
-- create-order: opens an empty order.
-- ARGS     log_id, order, user
-- RETURNS  created, order, log_id
commands['create-order'] = function(args)
  emit_single('OrderCreated', args.log_id, { 'order', args.order, 'user', args.user })
  redis.call('HSET', names.order .. args.order, 'user', args.user, 'status', 'open', 'total', '0', 'lines', '')
  return { 'created', args.order, args.log_id }
end
