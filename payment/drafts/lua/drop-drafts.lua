--- @include "drafts"
-- drop-drafts: the orders `first` to `last` were made anew: what was drafted for those before them is of no order any more.
-- ARGS     first, last
-- RETURNS  dropped
-- WRITES   nothing that takes memory
commands['drop-drafts'] = function(args)
  if redis.call('EXISTS', names.drafts) == 1 then
    for order = tonumber(args.first), tonumber(args.last) do
      redis.call('HDEL', names.drafts, integer(order))
    end
  end
  return { 'dropped' }
end
