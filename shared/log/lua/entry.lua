-- An entry of a log is one field: its name is the kind, its value all the rest in one text, `name=value name=value`.
-- Entries of older versions have a field for each of those.

-- payload_in(text, begun): the values of such a text by their names, beside those that are `begun` already.
local function payload_in(text, begun)
  local payload = begun or {}
  for name, value in string.gmatch(text, '([^ =]+)=([^ ]*)') do
    payload[name] = value
  end
  return payload
end

-- payload_of(fields): the same of the fields of an entry of either form, with its `kind`.
local function payload_of(fields)
  if #fields == 2 and string.sub(fields[2], 1, 8) == 'version=' then
    local payload = payload_in(fields[2])
    payload.kind = fields[1]
    return payload
  end
  local payload = {}
  for at = 1, #fields - 1, 2 do
    payload[fields[at]] = fields[at + 1]
  end
  return payload
end
