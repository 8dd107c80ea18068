--- @include "log"
-- webhook-page: the next entries that a webhook has not passed, and what was trimmed by then, as of one moment.
-- ABOUT    webhook, and how many entries at most
-- RETURNS  the time in ms, the fields of the webhook (none if there is none), the last entry that was trimmed, and the entries
-- WRITES   nothing
queries['webhook-page'] = function(about)
  local id, most = string.match(about, '^(%S+) (%d+)$')
  local fields = redis.call('HGETALL', names.webhook .. id)
  local trimmed = redis.call('GET', names.trimmed) or '0-0'
  local cursor = redis.call('HGET', names.webhook .. id, 'cursor')
  local entries = cursor and redis.call('XRANGE', names.log, '(' .. cursor, '+', 'COUNT', most) or {}
  return { integer(now_ms()), fields, trimmed, entries }
end
