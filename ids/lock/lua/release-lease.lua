--- @include "lease"
-- release-lease: ends a lease that holds or waits. One that was never heard of is remembered as ended, so that a request for it that is
-- still on its way gets nothing.
-- ARGS     lock, lease, seen
-- RETURNS  ended, lease
--          or in passing: older

local function release(lock, lease)
  local why = lease.state == 'held' and 'released' or 'cancelled'
  if lease.state == 'held' then
    end_holding(lock, lease, why)
  else
    end_waiting(lock, lease, why)
  end
  local promoted = #promote(lock) > 0 and 'yes' or 'no'
  if promoted == 'yes' then
    redis.call('HSET', key_of_lease(lock, lease.id), 'promoted', promoted)
  end
  return { 'ended', why, integer(now_ms()), promoted }
end

commands['release-lease'] = function(args)
  if is_older(args.seen) then
    return { 'older' }, true
  end
  local lock = open_lock(args.lock)
  local lease = load_lease(lock, args.lease)
  local reply
  if not lease then
    remember_end(lock, args.lease, 'cancelled', limits.lock_unseen_ms, '')
    lasting()
    reply = { 'ended', 'cancelled', integer(now_ms()), 'no' }
  elseif lease.state == 'ended' then
    reply = shown_end(lease)
  else
    reply = release(lock, lease)
  end
  close_lock(lock)
  return reply
end
