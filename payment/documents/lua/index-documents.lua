--- @include "log"
--- @include "places"
-- index-documents: enters documents that were issued since the last time in the index by user and by order. Not when they are
-- issued: that would cost a checkout three times as much as the document itself.
-- ARGS     kind, page
-- RETURNS  indexed | in-part

-- whose(fields): the order and the user of a document.
local function whose(fields)
  if #fields == 2 then
    return string.match(fields[2], ' order=(%S+) user=(%S+)')
  end
  local says = {}
  for at = 1, #fields, 2 do
    says[fields[at]] = fields[at + 1]
  end
  return says.order, says.user
end

commands['index-documents'] = function(args)
  local kind = args.kind
  local found = documents_after(kind, redis.call('HGET', names.indexed, kind) or '0-0', tonumber(args.page))
  for _, document in ipairs(found) do
    local place, order, user = document[1], whose(document[2])
    redis.call('RPUSH', names[kind .. '_of'] .. user, place)
    local orders = bucket(kind, order)
    if redis.call('HSETNX', orders, order, place) == 0 then
      redis.call('HSET', orders, order, redis.call('HGET', orders, order) .. ' ' .. place)
    end
  end
  if #found > 0 then
    redis.call('HSET', names.indexed, kind, found[#found][1])
  end
  return { #found < tonumber(args.page) and 'indexed' or 'in-part' }
end
