--- @include "log"
--- @include "places"
-- list-documents: the documents of a kind that were issued after the one at a place, the oldest first: all, or those of a
-- user, or of an order, as far as they are indexed.
-- ARGS     kind, user, order, after, count
-- RETURNS  the documents, up to so many, each as its place and what it says: name, value, ...
-- WRITES   nothing

-- places_of_user(kind, user, after, count): they stand in the order in which they were issued, so half of them is passed over at
-- each look.
local function places_of_user(kind, user, after, count)
  local key = names[kind .. '_of'] .. user
  local series, number = place_of(after)
  local low, high = 0, redis.call('LLEN', key)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if comes_after(redis.call('LINDEX', key, middle), series, number) then
      high = middle
    else
      low = middle + 1
    end
  end
  return redis.call('LRANGE', key, low, low + count - 1)
end

-- places_of_order(kind, order, after, count): of an order there are few.
local function places_of_order(kind, order, after, count)
  local series, number = place_of(after)
  local places = {}
  for place in string.gmatch(redis.call('HGET', bucket(kind, order), order) or '', '%S+') do
    if #places < count and comes_after(place, series, number) then
      places[#places + 1] = place
    end
  end
  return places
end

commands['list-documents'] = function(args)
  local kind, after, count = args.kind, args.after, tonumber(args.count)
  if args.user == '' and args.order == '' then
    local found = documents_after(kind, after, count)
    for at, document in ipairs(found) do
      found[at] = { document[1], said_by(document[2]) }
    end
    return found
  end
  local places = args.order ~= '' and places_of_order(kind, args.order, after, count)
    or places_of_user(kind, args.user, after, count)
  local found = {}
  for at, place in ipairs(places) do
    found[at] = { place, document_at(kind, place) }
  end
  return found
end
