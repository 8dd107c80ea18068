--- @include "lease"
-- force-lock: ends all leases that hold, or the one with a token; those that wait, too, if that is wanted.
-- ARGS     lock, seen, token ('' for all), waiters (yes or no)
-- RETURNS  forced, tokens, promoted, dropped
--          or in passing: ended, newest | older
commands['force-lock'] = on_lock(function(lock, args)
  local leases, is_there = {}, args.token == ''
  for at, id in ipairs(leases_of(lock)) do
    leases[at] = load_lease(lock, id)
    is_there = is_there or leases[at].token == args.token
  end
  if not is_there then
    return { 'ended', integer(lock.token) }, true
  end
  local forced, dropped = {}, 0
  for _, lease in ipairs(leases) do
    if lease.state == 'held' and (args.token == '' or args.token == lease.token) then
      end_holding(lock, lease, 'forced')
      forced[#forced + 1] = lease.token
    elseif lease.state == 'waiting' and args.waiters == 'yes' then
      end_waiting(lock, lease, 'forced')
      dropped = dropped + 1
    end
  end
  local promoted = promote(lock)
  return { 'forced', table.concat(forced, ' '), table.concat(promoted, ' '), integer(dropped) }
end)
