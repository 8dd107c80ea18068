-- ask: questions of one kind, asked at about the same time, and when they were answered.
-- ARGV  query, then for each question what it is about
-- Returns the time now as TIME does, then the answer to each.
local query = queries[ARGV[1]]
local answers = { redis.call('TIME') }
for at = 2, #ARGV do
  answers[at] = query(ARGV[at])
end
return answers
