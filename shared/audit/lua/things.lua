-- What this service counts is defined by a file of its own, which adds two functions (`supplies` in the options of its log):
-- `counted.worth(id)` is what a thing is worth now, and `counted.touched(payload, touch)` calls `touch` for each thing that an
-- entry may have changed.
local counted = {}

-- things(ids): what they are worth now, as two texts of one line each: the ids, and their worths. Two texts cost Redis and
-- its reader a quarter of what so many replies would.
local function things(ids)
  local worths = {}
  for at, id in ipairs(ids) do
    worths[at] = counted.worth(id)
  end
  return table.concat(ids, '\n'), table.concat(worths, '\n')
end
