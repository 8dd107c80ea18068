--- @include "log"
-- due-webhooks: for which webhooks something was appended that they have not passed, and an attempt may be made now.
-- ABOUT    nothing
-- RETURNS  their ids
-- WRITES   nothing

-- is_over(next, wait): whether a wait up to a moment is over. One that has more left than it was long is, too: the clock of this
-- Redis was set back.
local function is_over(next, wait)
  local left = tonumber(next or 0) - now_ms()
  return left <= 0 or wait and left > tonumber(wait)
end

queries['due-webhooks'] = function()
  local due = {}
  for _, id in ipairs(redis.call('SMEMBERS', names.webhooks)) do
    local enabled, cursor, next, wait = unpack(redis.call('HMGET', names.webhook .. id, 'enabled', 'cursor', 'next', 'wait'))
    if enabled == 'yes' and is_over(next, wait) and #redis.call('XRANGE', names.log, '(' .. cursor, '+', 'COUNT', 1) > 0 then
      due[#due + 1] = id
    end
  end
  return due
end
