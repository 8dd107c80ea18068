--- @include "unfinished"
-- late: a page of the sagas that are not decided a while after their deadline, the earliest first. One whose deadline is
-- farther ahead than any was ever set is late as well: the clock of this Redis was set back since.
-- ARGS     limit, after (the deadline of those that were seen already, or 0), grace_ms (how long a while is),
--          max_ms (how far ahead a deadline may be)
-- RETURNS  the time now, then for each the columns that `unfinished` has
-- WRITES   nothing
function commands.late(args)
  local now = now_ms()
  local found = page(names.deadlines, args.after, integer(now - tonumber(args.grace_ms)), args.limit)
  if #found == 0 then
    local beyond = math.max(tonumber(args.after), now + tonumber(args.max_ms))
    found = page(names.deadlines, integer(beyond), '+inf', args.limit)
  end
  return described(found)
end
