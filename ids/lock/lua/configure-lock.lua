--- @include "lock"
-- configure-lock: says how a lock may be used: all of it anew, so that what is left out is not said any more.
-- ARGS     log_id, lock, seen, limit, write, delay ('' or 0 for none)
-- RETURNS  configured, new
--          or in passing: in-use | too-many | older

-- has_room_idle(): whether one lock more may be configured, which is kept when it is idle: not while half of the room is taken by such.
local function has_room_idle()
  write_index()
  local others = redis.call('ZCARD', names.locks_due) + redis.call('ZCARD', names.locks_free)
  return 2 * (redis.call('ZCARD', names.locks) - others) < limits.locks_max
end

commands['configure-lock'] = on_lock(function(lock, args)
  local is_same = args.limit == lock.fixed and args.write == lock.write
  if not is_same and not is_idle(lock) and (args.limit ~= lock.limit or args.write ~= lock.write) then
    return { 'in-use' }, true
  end
  local was_configured = is_configured(lock)
  local is_to_be = args.limit ~= '' or args.write ~= '' or tonumber(args.delay) > 0
  if is_to_be and not was_configured and not has_room_idle() or not lock.is_there and not has_room() then
    return { 'too-many' }, true
  end
  if not is_same or tonumber(args.delay) ~= lock.delay then
    lock.fixed, lock.write, lock.delay = args.limit, args.write, tonumber(args.delay)
    emit_lock(lock, 'LockConfigured', args.log_id,
      'lock=' .. lock.name .. ' limit=' .. args.limit .. ' write=' .. args.write .. ' delay=' .. args.delay, true)
  end
  if is_configured(lock) and lock.made == 0 then
    lock.made = now_ms()
  end
  return { 'configured', is_configured(lock) and not was_configured and 'yes' or 'no' }
end)
