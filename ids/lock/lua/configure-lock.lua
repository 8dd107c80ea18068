--- @include "lock"
-- configure-lock: says how a lock may be used: all of it anew, so that what is left out is not said any more.
-- ARGS     log_id, lock, seen, limit, write, delay ('' or 0 for none)
-- RETURNS  configured, new
--          or in passing: in-use | too-many | older
commands['configure-lock'] = function(args)
  if is_older(args.seen) then
    return { 'older' }, true
  end
  local lock = open_lock(args.lock)
  local is_same = args.limit == lock.fixed and args.write == lock.write
  if not is_same and not is_idle(lock) and (args.limit ~= lock.limit or args.write ~= lock.write) then
    close_lock(lock)
    return { 'in-use' }, true
  end
  if not lock.is_there and not has_room() then
    return { 'too-many' }, true
  end
  local was_configured = is_configured(lock)
  if not is_same or tonumber(args.delay) ~= lock.delay then
    lock.fixed, lock.write, lock.delay = args.limit, args.write, tonumber(args.delay)
    emit_lock(lock, 'LockConfigured', args.log_id, 'limit=' .. args.limit .. ' write=' .. args.write .. ' delay=' .. args.delay, true)
  end
  close_lock(lock)
  if is_configured(lock) then
    redis.call('HSETNX', names.lock .. lock.name, 'made', integer(now_ms()))
  end
  return { 'configured', is_configured(lock) and not was_configured and 'yes' or 'no' }
end
