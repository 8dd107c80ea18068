--- @include "log"
-- oldest-submitted: checkouts that wait to be begun for so long, the oldest first.
-- ABOUT    for how many ms at least, and how many of them at most
-- RETURNS  for each: its log id, its order, and how many ms its deadline is ahead
-- WRITES   nothing
queries['oldest-submitted'] = function(about)
  local age_ms, most = string.match(about, '^(%d+) (%d+)$')
  local before = integer(now_ms() - tonumber(age_ms))
  local found = redis.call('ZRANGE', names.submitted, '-inf', before, 'BYSCORE', 'LIMIT', 0, most)
  local oldest = {}
  for _, id in ipairs(found) do
    local order, deadline = unpack(redis.call('HMGET', names.saga .. id, 'order', 'deadline'))
    if order then
      oldest[#oldest + 1] = { id, order, integer(tonumber(deadline) - now_ms()) }
    end
  end
  return oldest
end
