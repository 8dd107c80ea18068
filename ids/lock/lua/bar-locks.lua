--- @include "lock"
-- bar-locks: this Redis came back older: nobody is granted anything until all that it has forgotten has ended, and no token below
-- those that were given is given again. That lasts for a while at least: other replicas tell what they know. names.locks_state
-- has `barred`, until when that is; `barred_for`, how long that was when it began, in ms; `floor`, the least token; `lost`, what
-- is known to be forgotten, as JSON.
-- ARGS     ends, token, lost
-- RETURNS  barred, rest
commands['bar-locks'] = function(args)
  local ends = math.max(barred_until(), tonumber(args.ends), now_ms() + limits.lock_older_ms)
  -- One that can name nothing leaves what another one has named.
  if args.lost ~= '[]' or barred_until() <= now_ms() then
    redis.call('HSET', names.locks_state, 'lost', args.lost)
  end
  redis.call('HSET', names.locks_state, 'barred', integer(ends), 'barred_for', integer(ends - now_ms()))
  redis.call('HSET', names.locks_state, 'floor', integer(math.max(least_token(), tonumber(args.token))))
  lasting()
  return { 'barred', integer(ends - now_ms()) }
end
