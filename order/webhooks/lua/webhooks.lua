--- @include "log"
-- webhooks: what is known of a webhook, or of all.
-- ABOUT    a webhook, or '' for all
-- RETURNS  the time in ms, and of each webhook its id, its fields, the first entry that it has not passed or '', and what it has lost
-- WRITES   nothing
function queries.webhooks(about)
  local found = {}
  for _, id in ipairs(about ~= '' and { about } or redis.call('SMEMBERS', names.webhooks)) do
    local cursor = redis.call('HGET', names.webhook .. id, 'cursor')
    if cursor then
      local waiting = redis.call('XRANGE', names.log, '(' .. cursor, '+', 'COUNT', 1)[1]
      found[#found + 1] = { id, redis.call('HGETALL', names.webhook .. id), waiting and waiting[1] or '',
        redis.call('LRANGE', names.webhook_lost .. id, 0, -1) }
    end
  end
  return { integer(now_ms()), found }
end
