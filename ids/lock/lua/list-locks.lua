--- @include "shown-lock"
-- list-locks: a page of all locks, by name, as they were when they were last looked at.
-- ARGS     after (the last name of the page before, or ''), count, waiters (yes or no)
-- RETURNS  the locks, up to so many
-- WRITES   nothing
commands['list-locks'] = function(args)
  local found = {}
  local from = args.after == '' and '-' or '(' .. args.after
  for at, name in ipairs(redis.call('ZRANGEBYLEX', names.locks, from, '+', 'LIMIT', 0, args.count)) do
    found[at] = shown_lock(load_lock(name), args.waiters == 'yes', false)
  end
  return found
end
