-- page(index, after, most, limit): the members of an index behind one score and up to another, and their scores, in turn:
-- `limit` of them, and all that share the last one's score.
local function page(index, after, most, limit)
  local found = redis.call('ZRANGE', index, '(' .. after, most, 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
  if #found < 2 * tonumber(limit) then
    return found
  end
  return redis.call('ZRANGE', index, '(' .. after, found[#found], 'BYSCORE', 'WITHSCORES')
end
