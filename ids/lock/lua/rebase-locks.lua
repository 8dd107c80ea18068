--- @include "lease"
-- rebase-locks: the clock of this Redis may have been set back, so that what is to end seems far away. From now on a lease holds
-- for its TTL at most, and waits for as long as it wanted to, and unattended no longer than any; and nobody is granted anything
-- for no longer than when that began. Never less: whoever holds may count from just before. A lock is idle since now at the
-- latest, so that it can be forgotten.
-- ARGS     after (the last name of the page before, or ''), most
-- RETURNS  rebased, count, last (the last name of the page, '' if there is no other)

-- bring_in(lock, lease): whether time ends it sooner than before.
local function bring_in(lock, lease)
  local now = now_ms()
  local latest
  if lease.state == 'held' then
    latest = now + tonumber(lease.ttl)
    if tonumber(lease.expires) > latest then
      lease.expires = integer(latest)
      save_lease(lock, lease)
    end
    if lease.claimed ~= '1' then
      latest = math.min(latest, now + limits.lock_unclaimed_ms)
    end
  else
    local ahead = tonumber(lease.since) - now
    if ahead > 0 then
      lease.since = now_text()
      lease['until'] = lease['until'] ~= '' and integer(tonumber(lease['until']) - ahead) or ''
      save_lease(lock, lease)
    end
    latest = ends_at(lease)
  end
  if end_of(lock, lease.id) <= latest then
    return false
  end
  set_end(lock, lease.id, latest)
  return true
end

-- bring_in_idle(lock), bring_in_bar(): an idle lock is idle since now at the latest; nothing is granted for no longer than when that began.
local function bring_in_idle(lock)
  local since = redis.call('ZSCORE', names.locks_free, lock.name)
  local latest = math.max(now_ms(), lock.delayed)
  if since and tonumber(since) > latest then
    index(names.locks_free, lock.name, digits(latest))
    lasting()
  end
end

local function bring_in_bar()
  local longest = tonumber(redis.call('HGET', names.locks_state, 'barred_for') or '')
  if longest and barred_until() > now_ms() + longest then
    barred = now_ms() + longest
    redis.call('HSET', names.locks_state, 'barred', integer(barred))
    lasting()
  end
end

commands['rebase-locks'] = function(args)
  bring_in_bar()
  local page = redis.call('ZRANGEBYLEX', names.locks, args.after == '' and '-' or '(' .. args.after, '+', 'LIMIT', 0, args.most)
  local count = 0
  for _, name in ipairs(page) do
    local lock = load_lock(name)
    if lock.was_idle then
      bring_in_idle(lock)
    else
      for _, id in ipairs(leases_of(lock)) do
        if bring_in(lock, load_lease(lock, id)) then
          lock.changed, count = true, count + 1
        end
      end
    end
    if lock.changed then
      close_lock(lock)
      lasting()
    end
  end
  return { 'rebased', integer(count), #page == tonumber(args.most) and page[#page] or '' }
end
