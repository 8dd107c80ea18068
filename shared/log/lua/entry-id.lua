-- position(id): the two numbers of an entry's id, which are compared as such.
local function position(id)
  local ms, sequence = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(sequence)
end

-- later(ms, sequence, than_ms, than_sequence): whether one position comes after another.
local function later(ms, sequence, than_ms, than_sequence)
  return ms > than_ms or (ms == than_ms and sequence > than_sequence)
end
