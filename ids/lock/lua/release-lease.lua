--- @often
--- @include "lease"
--- @include "plain-lock"
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
  if #promote(lock) == 0 then
    return { 'ended', why, now_text(), 'no' }
  end
  lease.promoted = 'yes'
  remember_end(lock.name, lease.id, lease.request, why, limits.lock_ended_ms, lease.promoted)
  return { 'ended', why, now_text(), lease.promoted }
end

commands['release-lease'] = on_lock(function(lock, args)
  local lease = load_lease(lock, args.lease)
  if not lease then
    remember_end(lock.name, args.lease, '', 'cancelled', limits.lock_unseen_ms)
    lasting()
    return { 'ended', 'cancelled', now_text(), 'no' }
  elseif lease.state == 'ended' then
    return shown_end(lease)
  end
  return release(lock, lease)
end, release_plain)
