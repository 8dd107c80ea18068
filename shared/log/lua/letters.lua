--- @include "log"
-- What could not be applied is a *dead letter*, which is found again by its content.

-- is_waiting(letter): whether a letter is still there, and was not applied at last.
local function is_waiting(letter)
  return letter and #redis.call('XRANGE', names.dead, letter, letter) == 1
    and redis.call('HEXISTS', names.applied, letter) == 0
end

-- content_of(publisher, fields): by this a letter is found again.
local function content_of(publisher, fields)
  return redis.sha1hex(publisher .. ' ' .. fields)
end

-- end_letter(publisher, fields, result): what a letter says was emitted again, and is applied now.
function rarely.end_letter(publisher, fields, result)
  local letter = redis.call('HGET', names.letters, content_of(publisher, fields))
  if is_waiting(letter) and redis.call('HEXISTS', names.dismissed, letter) == 0 then
    redis.call('HSET', names.applied, letter, integer(now_ms()) .. ' ' .. result)
  end
end

-- dead_letter(publisher, id, why, fields): puts an entry aside. One that is emitted again and cannot be applied again is the same letter,
-- or a saga that hangs would fill the dead letters, for it is emitted again and again.
function rarely.dead_letter(publisher, id, why, fields)
  local content = content_of(publisher, fields)
  if not is_waiting(redis.call('HGET', names.letters, content)) then
    local letter = redis.call('XADD', names.dead, '*', 'speaker', publisher, 'entry', id, 'error', why, 'fields', fields)
    redis.call('HSET', names.letters, content, letter)
  end
  return { 'dead-lettered', id, why }
end
