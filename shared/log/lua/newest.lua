-- newest(stream): the id of the newest entry there ever was in a stream, or else in this log, also if it was trimmed since; `0-0`
-- if there was none.
local function newest(stream)
  stream = stream or names.log
  if redis.call('EXISTS', stream) == 0 then
    return '0-0'
  end
  local info = redis.call('XINFO', 'STREAM', stream)
  for at = 1, #info, 2 do
    if info[at] == 'last-generated-id' then
      return info[at + 1]
    end
  end
end
