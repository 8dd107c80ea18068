--- @include "saga"
-- move(id, from, to): moves a parcel on, unless it is elsewhere by now.
local function move(id, from, to)
  local saga = load_saga(id)
  if not saga or not from[saga.state] then return { 'repeated' } end
  emit_saga(id, saga, to)
  return { to }
end
