--- @include "shelf"
-- A checkout may be read of only after refunds of it, where payment and stock have both lost their tails: its money waits, and
-- what was paid back does not. What such a refund brought back is on the shelf already, or was written off, and its record has
-- that as `awaited`.

-- brought_before(lines, refunds): of such lines, what is to leave the shelf; and what is noted of that once it has: the `rest`,
-- which these refunds have not brought back, and the refunds that are awaited `fewer` then, by their log ids.
function rarely.brought_before(lines, refunds)
  local rest, off, fewer = lines, lines, {}
  for id in string.gmatch(refunds, '[^,]+') do
    local refund = load_saga(id)
    local awaited = refund and refund.awaited or ''
    local left = without(rest, awaited)
    if left ~= rest then
      local these = without(rest, left)
      rest = left
      off = refund.restock == 'shelf' and without(off, these) or off
      refund.awaited = without(awaited, these)
      fewer[id] = refund
    end
  end
  return off, { rest = rest, fewer = fewer }
end

-- note_brought(saga, off, brought): a checkout is taken: what refunds have brought back does not come back once more.
function rarely.note_brought(saga, off, brought)
  saga.before, saga.there = without(saga.lines, brought.rest), without(saga.lines, off)
  for id, refund in pairs(brought.fewer) do
    store_saga(id, refund)
  end
  if saga.there == '' then
    saga.there = nil
  else
    post_lines('written-off', -1, saga.there)
  end
end
