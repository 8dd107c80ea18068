--- @include "single"
--- @include "books"
-- init-users: makes the users `first` to `last` anew, each with the same credit. Does nothing while a checkout holds or
-- awaits money of one of them.
-- FACTS    log_id, first, last, credit
-- RETURNS  initialised, or in passing: busy, user
commands['init-users'] = function(facts)
  local first, last = tonumber(facts.first), tonumber(facts.last)
  local replaced = 0
  local added = {}
  for user = first, last do
    local found = redis.call('HMGET', names.user .. user, 'credit', 'held')
    added[#added + 1] = tonumber(facts.credit) - tonumber(found[1] or '0')
    if found[1] then
      replaced = replaced + tonumber(found[1])
      if found[2] ~= '0' or redis.call('EXISTS', names.waiting .. user) == 1 then
        return { 'busy', tostring(user) }, true
      end
    end
  end
  record('UsersInitialised', facts.log_id,
    { 'first', facts.first, 'last', facts.last, 'credit', facts.credit, 'replaced', integer(replaced) })
  for user = first, last do
    redis.call('HSET', names.user .. user, 'credit', facts.credit, 'held', '0')
  end
  book_all('added', added)
  return { 'initialised' }
end
