--- @include "log"
-- How many of the last attempts are kept of a webhook, and of what was lost.
local NOTES_MAX = 100

-- note_in(list, webhook, text): keeps a note among the last ones.
local function note_in(list, webhook, text)
  redis.call('LPUSH', list .. webhook, text)
  redis.call('LTRIM', list .. webhook, 0, NOTES_MAX - 1)
end
