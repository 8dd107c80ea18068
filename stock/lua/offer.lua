--- @include "log"
-- The offer of an item: its `price`, `withdrawn` (yes or no; nothing is no), and its `version`. A version is when the offer was
-- changed, in milliseconds, or 1 if it never was: so none comes twice, also if this Redis comes back older. What it has forgotten
-- was changed before.
local FIRST_VERSION = '1'

-- offer(item): price, withdrawn and version of an item; nil, ... if there is no such item.
local function offer(item)
  local price, withdrawn, version = unpack(redis.call('HMGET', names.item .. item, 'price', 'withdrawn', 'version'))
  return price or nil, withdrawn or 'no', version or FIRST_VERSION
end

-- version_after(version): the version of a change that follows.
local function version_after(version)
  return math.max(now_ms(), tonumber(version) + 1)
end
