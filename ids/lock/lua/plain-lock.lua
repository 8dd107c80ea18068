--- @include "lock"
-- A *plain* lock is one that is not configured, for which nobody waits, and which is not delayed: of it nothing is recorded
-- between `used` and `mean`, see lock-record.lua. What most clients do is to get one that is idle, alone, and to release it. That
-- is done here just as acquire-lock.lua and release-lease.lua do it, but from text to text: it takes 720 steps of Lua instead of
-- 1,650, most of which make tables. A test holds what both leave behind against each other.

-- acquire_plain(args, text): what the command returns of an exclusive lease that holds a plain lock; nil if it is another case.
local function acquire_plain(args, text)
  local name, id = args.lock, args.lease
  if args.mode or args.permits or args.limit or args.delay or barred_until() > now_ms() then
    return nil
  end
  local token, mean, history = 0, '', ''
  if text then
    if not is_of_now(text) then
      return nil
    end
    local last, _, count, _, after = struct.unpack(FIRST, text)
    if count ~= '' or not has_nothing_at(text, after) then
      return nil
    end
    token, mean, _, _, _, history = last + 0, struct.unpack(LAST, text, after + #NOTHING)
  end
  if redis.call('EXISTS', key_of_lease(name, id)) == 1 or not text and not has_room() then
    return nil
  end
  token = digits(next_token(token))
  local acquired, expires, owner = now_text(), digits(now_ms() + args.ttl), args.owner or ''
  local entry = emit_about('LockGranted', id, facts_by(name, 'exclusive', owner, token, '1', ' until=' .. expires))
  redis.call('SET', names.lock .. name, token .. '\0exclusive\0001\0001\0' .. NOTHING .. mean .. '\0' .. expires .. '\0' .. id .. '\0'
    .. expires .. '\0' .. history_with(history, entry) .. '\0held\0' .. args.request .. '\0exclusive\0001\0' .. args.ttl .. '\0'
    .. (args.priority or '0') .. '\0' .. owner .. '\0' .. (args.metadata or '{}') .. '\0000\0' .. token .. '\0' .. acquired .. '\0' .. expires
    .. '\0001\0')
  index(names.locks_due, name, expires)
  if text then
    index(names.locks_free, name)
  else
    index(names.locks, name, '0')
    locks_count = locks_count and locks_count + 1
  end
  return { 'granted', id, token, acquired, entry }
end

-- release_plain(args, text): what the command returns of a lease that holds a plain lock alone; nil if it is another case.
local function release_plain(args, text)
  if not text or not is_of_now(text) then
    return nil
  end
  local last, mode, _, _, after = struct.unpack(FIRST, text)
  if mode == '' or not has_nothing_at(text, after) then
    return nil
  end
  local mean, _, sole, ends, history, behind = struct.unpack(LAST, text, after + #NOTHING)
  if sole ~= args.lease or ends + 0 <= now_ms() then
    return nil
  end
  local _, request, _, permits, _, _, owner, _, _, token, acquired = struct.unpack(LEASE, text, behind)
  local entry = emit_about('LockReleased', sole, facts_by(args.lock, mode, owner, token, permits, ''))
  remember_end(args.lock, sole, request, 'released', limits.lock_ended_ms)
  redis.call('SET', names.lock .. args.lock, last .. '\0\0\0\0' .. NOTHING .. or_none(mean_with(number_in(mean), acquired)) .. '\0\0\0\0'
    .. history_with(history, entry) .. '\0')
  index(names.locks_due, args.lock)
  index(names.locks_free, args.lock, now_text())
  return { 'ended', 'released', now_text(), 'no' }
end
