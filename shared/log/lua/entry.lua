-- An entry of a log is one field: its name is the kind, its value all the rest in one text, `name=value name=value`.
-- Entries of older versions have a field for each of those.

-- facts_in(text): the values of such a text by their names.
local function facts_in(text)
  local facts = {}
  for name, value in string.gmatch(text, '([^ =]+)=([^ ]*)') do
    facts[name] = value
  end
  return facts
end

-- facts_of(fields): the same of the fields of an entry of either form, with its `kind`.
local function facts_of(fields)
  if #fields == 2 and string.sub(fields[2], 1, 8) == 'version=' then
    local facts = facts_in(fields[2])
    facts.kind = fields[1]
    return facts
  end
  local facts = {}
  for at = 1, #fields - 1, 2 do
    facts[fields[at]] = fields[at + 1]
  end
  return facts
end
