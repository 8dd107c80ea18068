-- What this service counts is defined by a file of its own, which adds two functions (`supplies` in the options of its log):
-- `counted.balance(id)` is the balance of a thing now, and `counted.touched(payload, touch)` calls `touch` for each thing that an
-- entry may have changed.
local counted = {}

-- things(ids): their balances now, as two texts of one line each: the ids, and their balances. Two texts cost Redis and
-- its reader a quarter of what so many replies would.
local function things(ids)
  local balances = {}
  for at, id in ipairs(ids) do
    balances[at] = counted.balance(id)
  end
  return table.concat(ids, '\n'), table.concat(balances, '\n')
end
