--- @include "log"
-- A saga's record in this service is a hash: its state, the facts of it, `entries`, the stream ids of all that was said of
-- it for the first time, and `again`, that of the last repetition, if there was one. While it is unfinished here it stands in the index `names.open`, scored by when it was last spoken of;
-- once it is finished the record lives on for as long as the log, so that repetitions find it.

-- tell(id, kind, facts, entries): says one entry of a saga, with facts as text. Returns the list of its entries with this one, and when.
local function tell(id, kind, facts, entries)
  local entry = say(kind, id, facts)
  if entries and entries ~= '' then
    return entries .. ' ' .. entry, told_ms(entry)
  end
  return entry, told_ms(entry)
end

-- tell_again(id, kind, facts): says once more what was said of a saga last, and returns when. A saga that hangs is told
-- again and again, so no more than the last time is recorded.
local function tell_again(id, kind, facts)
  local entry = say(kind, id, facts)
  redis.call('HSET', names.saga .. id, 'again', entry)
  return told_ms(entry)
end

-- keep_open(id, told): the log parser will look at this saga if nothing is heard of it for a while.
local told_at = {}
local function keep_open(id, told)
  told_at[id] = told
end

-- finish(id): nothing more is to be done for this saga here.
local function finish(id)
  told_at[id] = false
  redis.call('EXPIRE', names.saga .. id, limits.retention_s)
end

gathered[#gathered + 1] = function()
  local opened, finished = {}, {}
  for id, told in pairs(told_at) do
    if told then
      opened[#opened + 1] = told
      opened[#opened + 1] = id
    else
      finished[#finished + 1] = id
    end
  end
  if #opened > 0 then
    redis.call('ZADD', names.open, unpack(opened))
  end
  if #finished > 0 then
    redis.call('ZREM', names.open, unpack(finished))
  end
end
