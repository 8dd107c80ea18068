--- @include "entry"
--- @include "single"
-- ended_by_hand(kind, letter, result): appends that an operator has ended a dead letter, and by what result if its entry was applied.
-- It has but one end, under a log id that is made of the letter's id.
local function ended_by_hand(kind, letter, result)
  local put_aside = payload_of(letter[2])
  local payload = { 'publisher', put_aside.speaker, 'entry', put_aside.entry }
  if result then
    payload[5], payload[6] = 'result', result
  end
  emit_single(kind, 'letter-' .. letter[1], payload)
end
