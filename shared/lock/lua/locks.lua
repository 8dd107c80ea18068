-- locks: questions about locks, asked at about the same time; each is answered as by redlock's own script.
-- ARGV  for each question: its verb, the number of its keys, the keys, the token, and how many ms it shall last unless
--       the verb is 'release'.
-- lock: all the keys, if none of them is held. extend: all, if the token holds them. release: those that it holds.
-- A key that lasts for ever, or longer than any setting lets a lock last, holds nothing and is written over: any client
-- of this Redis could put it there, and it would keep all others out until a person deleted it.
-- Returns for each question how many keys that were, or the error that kept it from an answer.
-- Nothing of it is written to the append-only file: see node.ts.
redis.set_repl(redis.REPL_NONE)
local LONGEST_MS = 120000
local answers = {}
local function is_held(key)
  local left_ms = redis.call('PTTL', key)
  return left_ms >= 0 and left_ms <= LONGEST_MS
end
function answers.lock(first, last, token, ttl_ms)
  for at = first, last do
    local key = ARGV[at]
    if not redis.call('SET', key, token, 'PX', ttl_ms, 'NX') then
      if is_held(key) then
        if at > first then
          redis.call('DEL', unpack(ARGV, first, at - 1))
        end
        return 0
      end
      redis.call('SET', key, token, 'PX', ttl_ms)
    end
  end
  return last - first + 1
end
function answers.extend(first, last, token, ttl_ms)
  for _, holder in ipairs(redis.call('MGET', unpack(ARGV, first, last))) do
    if holder ~= token then
      return 0
    end
  end
  for at = first, last do
    redis.call('SET', ARGV[at], token, 'PX', ttl_ms)
  end
  return last - first + 1
end
function answers.release(first, last, token)
  local own = {}
  for index, holder in ipairs(redis.call('MGET', unpack(ARGV, first, last))) do
    if holder == token then
      own[#own + 1] = ARGV[first + index - 1]
    end
  end
  return #own == 0 and 0 or redis.call('DEL', unpack(own))
end
local told = {}
local at = 1
while at <= #ARGV do
  local verb = ARGV[at]
  local first = at + 2
  local last = at + 1 + ARGV[at + 1]
  local done, answer = pcall(answers[verb], first, last, ARGV[last + 1], ARGV[last + 2])
  told[#told + 1] = (done or type(answer) == 'table') and answer or { err = tostring(answer) }
  at = last + (verb == 'release' and 2 or 3)
end
return told
