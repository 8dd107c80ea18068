--- @include "log"
--- @include "packed"
-- gauges: how much there is that wants to be done, in numbers.
-- ABOUT    the most sagas that are looked at one by one, for how long after its deadline one is not late yet, and how far ahead a
--          deadline may be, in ms; with a space between
-- RETURNS  how many sagas are unfinished; the state of each of the stalest; how many are late; how many dead letters wait; how
--          many lost tails were ever noted
-- WRITES   nothing

-- states_of(ids): the state of each of these sagas, '' of one without a record.
local function states_of(ids)
  local states = {}
  for at, id in ipairs(ids) do
    states[at] = packing(id) or redis.call('HGET', names.saga .. id, 'state') or ''
  end
  return states
end

-- late_count(grace_ms, max_ms): how many `late` would show.
local function late_count(grace_ms, max_ms)
  local past = redis.call('ZCOUNT', names.deadlines, '-inf', integer(now_ms() - grace_ms))
  return past + redis.call('ZCOUNT', names.deadlines, '(' .. integer(now_ms() + max_ms), '+inf')
end

-- ever_added(stream): how many entries were ever added to it.
local function ever_added(stream)
  if redis.call('EXISTS', stream) == 0 then
    return 0
  end
  local info = redis.call('XINFO', 'STREAM', stream)
  for at = 1, #info, 2 do
    if info[at] == 'entries-added' then
      return info[at + 1]
    end
  end
  return 0
end

function queries.gauges(about)
  local most, grace_ms, max_ms = string.match(about, '^(%d+) (%d+) (%d+)$')
  local dead = redis.call('XLEN', names.dead) - redis.call('HLEN', names.applied) - redis.call('HLEN', names.dismissed)
  return {
    integer(redis.call('ZCARD', names.open)),
    states_of(redis.call('ZRANGE', names.open, 0, tonumber(most) - 1)),
    integer(late_count(tonumber(grace_ms), tonumber(max_ms))),
    integer(dead),
    integer(ever_added(names.lost)),
  }
end
