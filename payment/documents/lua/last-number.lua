--- @include "newest"
-- last_number(stream): the last one that was ever given in a series.
local function last_number(stream)
  local before, number = string.match(newest(stream), '^(%d+)-(%d+)$')
  return tonumber(before == '0' and number or before)
end

-- has_older_form(stream): whether a series has documents of an older version.
local function has_older_form(stream)
  return string.sub(newest(stream), 1, 2) ~= '0-'
end
