--- @include "deed"
-- lease-block: gives a replica a block of identifiers that nobody had or will have; the same block when it asks again.
-- FACTS    replica
-- RETURNS  leased, block
deeds['lease-block'] = function(facts)
  local key = names.lease .. facts.replica
  local block = redis.call('GET', key)
  if not block then
    block = integer(redis.call('INCR', names.blocks))
    record('BlockLeased', 'block-' .. block, { 'replica', facts.replica, 'block', block })
    redis.call('SET', key, block, 'EX', limits.retention_s)
  end
  return { 'leased', block }
end
