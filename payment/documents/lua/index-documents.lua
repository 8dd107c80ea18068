--- @include "log"
--- @include "places"
-- index-documents: enters documents that were issued since the last time in the index by user and by order. Not when they are
-- issued: that would cost a checkout three times as much as the document itself.
-- ARGS     kind, page
-- RETURNS  indexed | in-part
commands['index-documents'] = function(args)
  local kind = args.kind
  local found = documents_after(kind, redis.call('HGET', names.indexed, kind) or '0-0', tonumber(args.page))
  for _, document in ipairs(found) do
    local place, says = document[1], {}
    for at = 1, #document[2], 2 do
      says[document[2][at]] = document[2][at + 1]
    end
    redis.call('RPUSH', names[kind .. '_of'] .. says.user, place)
    local orders = bucket(kind, says.order)
    if redis.call('HSETNX', orders, says.order, place) == 0 then
      redis.call('HSET', orders, says.order, redis.call('HGET', orders, says.order) .. ' ' .. place)
    end
  end
  if #found > 0 then
    redis.call('HSET', names.indexed, kind, found[#found][1])
  end
  return { #found < tonumber(args.page) and 'indexed' or 'in-part' }
end
