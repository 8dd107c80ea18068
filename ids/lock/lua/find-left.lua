-- find-left: the newest entry that is left of those before one that was seen, and is gone.
-- ARGS     seen
-- RETURNS  the entry; 0-0 if there is none
-- WRITES   nothing
commands['find-left'] = function(args)
  local left = redis.call('XREVRANGE', names.log, '(' .. args.seen, '-', 'COUNT', 1)[1]
  return left and left[1] or '0-0'
end
