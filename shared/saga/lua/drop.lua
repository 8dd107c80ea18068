--- @include "log"
-- drop: takes a saga out of the indexes of unfinished ones, because it is not unfinished.
-- ARGS     log_id
-- RETURNS  dropped
-- WRITES   nothing that takes memory
function commands.drop(args)
  for _, index in ipairs({ names.open, names.deadlines }) do
    redis.call('ZREM', index, args.log_id)
  end
  return { 'dropped' }
end
