--- @include "single"
-- create-order: opens an empty order.
-- FACTS    log_id, order, user
-- RETURNS  created, order, log_id
commands['create-order'] = function(facts)
  record('OrderCreated', facts.log_id, { 'order', facts.order, 'user', facts.user })
  redis.call('HSET', names.order .. facts.order, 'user', facts.user, 'status', 'open', 'total', '0', 'lines', '')
  return { 'created', facts.order, facts.log_id }
end
