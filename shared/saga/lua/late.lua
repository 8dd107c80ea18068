--- @include "unfinished"
-- late: a page of the sagas that are not decided a while after their deadline, the earliest first. One whose deadline is
-- farther ahead than any was ever set is late as well: the clock of this Redis was set back since.
-- FACTS    limit, after (the deadline of those that were seen already, or 0), grace_ms (how long a while is),
--          max_ms (how far ahead a deadline may be)
-- RETURNS  the time now, then for each the columns that `unfinished` has
-- WRITES   nothing
function commands.late(facts)
  local now = now_ms()
  local found = page(names.deadlines, facts.after, integer(now - tonumber(facts.grace_ms)), facts.limit)
  if #found == 0 then
    local beyond = math.max(tonumber(facts.after), now + tonumber(facts.max_ms))
    found = page(names.deadlines, integer(beyond), '+inf', facts.limit)
  end
  return described(found)
end
