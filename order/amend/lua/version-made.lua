--- @include "refunds"
-- version-made: which version of an order an amendment has made.
-- ABOUT    the order, and the amendment
-- RETURNS  the version; nothing if that is not known
-- WRITES   nothing
queries['version-made'] = function(about)
  local order, amendment = string.match(about, '^(%S+) (%S+)$')
  local version = amounts(redis.call('HGET', names.order .. order, 'made'))[amendment]
  return version and integer(version) or false
end
