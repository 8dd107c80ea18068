-- Where a saga is packed, and to what: see saga.lua.

-- packs(id): the hash in which this saga is packed. The last digits of the time in a log id spread them evenly.
local function packs(id)
  return names.packed .. string.sub(id, 7, 9)
end

-- packed_text(saga): to what it is packed: its state and its entries, and with the state what stands beside these, if anything does.
local function packed_text(saga)
  local beside = passing[saga.state] or ''
  local state = beside == '' and saga.state or saga.state .. ',' .. (saga[beside] or '')
  return state .. ' ' .. saga.entries
end

-- packing(id): these three of a saga again; nil if it is not packed.
local function packing(id)
  local packed = redis.call('HGET', packs(id), id)
  if not packed then
    return nil
  end
  local state, entries = string.match(packed, '^(%S+) (.*)$')
  local comma = string.find(state, ',', 1, true)
  if not comma then
    return state, entries
  end
  return string.sub(state, 1, comma - 1), entries, string.sub(state, comma + 1)
end
