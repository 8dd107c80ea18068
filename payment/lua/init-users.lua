--- @include "single"
--- @include "ledger"
-- init-users: makes the users `first` to `last` anew, each with the same credit. Does nothing while a checkout holds or
-- awaits money of one of them.
-- ARGS     log_id, first, last, credit
-- RETURNS  initialised, or in passing: busy, user
commands['init-users'] = function(args)
  local first, last = tonumber(args.first), tonumber(args.last)
  local replaced = 0
  local added = {}
  for user = first, last do
    local found = redis.call('HMGET', names.user .. user, 'credit', 'held')
    added[#added + 1] = tonumber(args.credit) - tonumber(found[1] or '0')
    if found[1] then
      replaced = replaced + tonumber(found[1])
      if found[2] ~= '0' or redis.call('EXISTS', names.waiting .. user) == 1 then
        return { 'busy', tostring(user) }, true
      end
    end
  end
  emit_single('UsersInitialised', args.log_id,
    { 'first', args.first, 'last', args.last, 'credit', args.credit, 'replaced', integer(replaced) })
  for user = first, last do
    redis.call('HSET', names.user .. user, 'credit', args.credit, 'held', '0')
  end
  post_all('added', added)
  return { 'initialised' }
end
