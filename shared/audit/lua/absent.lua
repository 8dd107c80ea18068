--- @include "log"
-- absent: which of these things there are not, of the kind that this service counts.
-- ARGS     ids (separated by spaces)
-- RETURNS  the ids of those that are unknown here
-- WRITES   nothing
function commands.absent(args)
  local unknown = {}
  for id in string.gmatch(args.ids, '%S+') do
    if redis.call('EXISTS', names.counted .. id) == 0 then
      unknown[#unknown + 1] = id
    end
  end
  return unknown
end
