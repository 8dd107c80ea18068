-- The entry of a command that is complete in itself, once it was appended: its stream id, and its kind and text in one; '' before.
local appended, appended_text = '', ''

-- What the commands of a script gather in tables is written once for all of them: by these functions, which the main part
-- calls at its end. A command that fails has gathered what it would have written until then.
local gathered = {}
local function write_gathered()
  for _, write in ipairs(gathered) do
    write()
  end
end

-- How much was done by now that no request must meet twice: a command that appends no entry has changed nothing, unless it calls
-- this.
local lasting_count = 0
local function lasting()
  lasting_count = lasting_count + 1
end

-- Whose things alone the request may see for which a command runs, if not everybody's; and by whom it is done, if that is to be known.
local owner, done_by

-- Of which trace the command is, as `traceparent` has it, if of one that is sampled; and about what, by its log id.
local trace, about

-- is_anothers(whose): whether what is theirs is to the request as if there were no such thing.
local function is_anothers(whose)
  return owner ~= nil and owner ~= whose
end

-- now_ms(): the time of this Redis, the only clock that decides anything. All commands of a script run at one moment: Redis from 7.2 on
-- sees to that itself, an older one goes on counting.
local now
local function now_ms()
  if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  end
  return now
end

-- append(kind, log_id, payload, of): appends one entry to this service's log. It says of which trace it is, by default of that of the
-- command, and by whom that is done, if that is to be known.
-- payload: `name=value name=value`, no value of which holds a blank. Returns the entry's stream id, and its text.
-- The time is read before, or what a command writes might be later than the entry that tells of it.
local function append(kind, log_id, payload, of)
  local text = 'version=' .. limits.version .. ' log_id=' .. log_id .. ' ' .. payload
  of = of or log_id == about and trace
  if of then
    text = text .. ' trace=' .. of
  end
  if done_by then
    text = text .. ' done_by=' .. done_by
  end
  lasting()
  now_ms()
  return redis.call('XADD', names.log, '*', kind, text), text
end

-- integer(number): its decimal digits. Lua's own conversion rounds beyond 14 of them. To print it as a float takes much longer, and is
-- needed only where a machine's own integers are shorter than 64 bits.
local DIGITS = string.format('%d', 2 ^ 52) == '4503599627370496' and '%d' or '%.0f'
local function integer(number)
  return string.format(DIGITS, number)
end

-- minus(amount): the amount as a decrement. Redis takes no "-0".
local function minus(amount)
  if amount == '0' then
    return amount
  end
  return '-' .. amount
end

-- appended_ms(entry): when the entry with this stream id was appended.
local function appended_ms(entry)
  return string.match(entry, '^%d+')
end
