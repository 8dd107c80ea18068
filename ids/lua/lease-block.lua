--- @include "single"
-- lease-block: gives a replica a block of identifiers that no other had or will have; the same block when it asks again.
-- Blocks follow each other, and are numbered no lower than the time: if this Redis comes back older, those that it has
-- forgotten lie in the past (it takes longer to start than the few milliseconds by which leases at once run ahead). Only a
-- clock that goes back together with a lost tail could repeat one.
-- ARGS     replica
-- RETURNS  leased, block
commands['lease-block'] = function(args)
  local key = names.lease .. args.replica
  local block = redis.call('GET', key)
  if not block then
    local last = tonumber(redis.call('GET', names.blocks) or '0')
    block = integer(math.max(last + 1, now_ms() - limits.first_block_ms))
    emit_single('BlockLeased', 'block-' .. block, { 'replica', args.replica, 'block', block })
    redis.call('SET', names.blocks, block)
    redis.call('SET', key, block, 'PX', limits.retention_ms)
  end
  return { 'leased', block }
end
