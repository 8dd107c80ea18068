--- @include "log"
-- due-webhooks: for which webhooks something was appended that they have not passed, and an attempt may be made now.
-- ABOUT    nothing
-- RETURNS  their ids
-- WRITES   nothing
queries['due-webhooks'] = function()
  local due = {}
  for _, id in ipairs(redis.call('SMEMBERS', names.webhooks)) do
    local enabled, cursor, next = unpack(redis.call('HMGET', names.webhook .. id, 'enabled', 'cursor', 'next'))
    local is_due = enabled == 'yes' and tonumber(next or 0) <= now_ms()
    if is_due and #redis.call('XRANGE', names.log, '(' .. cursor, '+', 'COUNT', 1) > 0 then
      due[#due + 1] = id
    end
  end
  return due
end
