--- @include "lock"
-- count-locks: how many locks there are, and how many of them are in use; until when nobody is granted anything, if so, and why.
-- ARGS     none
-- RETURNS  the counts
-- WRITES   nothing
commands['count-locks'] = function()
  local state = redis.call('HMGET', names.locks_state, 'barred', 'lost')
  return { integer(redis.call('ZCARD', names.locks)), integer(redis.call('ZCARD', names.locks_due)), now_text(),
    state[1] or '0', state[2] or '[]' }
end
