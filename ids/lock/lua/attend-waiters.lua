--- @include "lease"
-- attend-waiters: keeps the places of leases for which requests wait in a replica.
-- ARGS     leases (a list of lock/lease, separated by blanks)
-- RETURNS  attended, those that wait no longer
commands['attend-waiters'] = function(args)
  local others = {}
  for name, id in string.gmatch(args.leases, '([^ /]+)/([^ /]+)') do
    local lock = { name = name }
    local lease = load_lease(lock, id)
    if lease and lease.state == 'waiting' then
      redis.call('ZADD', names.lock_ends .. name, integer(ends_at(lease)), id)
      lasting()
    else
      others[#others + 1] = name .. '/' .. id
    end
  end
  return { 'attended', table.concat(others, ' ') }
end
