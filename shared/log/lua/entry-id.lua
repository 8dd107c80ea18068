-- position(id): the two numbers of an entry's id, which are compared as such.
local function position(id)
  local ms, sequence = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(sequence)
end

-- later(ms, sequence, than_ms, than_sequence): whether one position comes after another.
local function later(ms, sequence, than_ms, than_sequence)
  return ms > than_ms or (ms == than_ms and sequence > than_sequence)
end

-- is_after(id, other): whether an entry's id comes after another. Texts of the same form are compared as such, which is less work.
local DASH, DASH_AT = 45, 14
local function is_after(id, other)
  if #id == #other and string.byte(id, DASH_AT) == DASH and string.byte(other, DASH_AT) == DASH then
    return id > other
  end
  local ms, sequence = position(id)
  return later(ms, sequence, position(other))
end
