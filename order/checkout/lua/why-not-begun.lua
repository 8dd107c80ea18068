--- @include "order"
-- why_not_begun(status, saga, lines): what is returned of an order of which no other checkout begins, and whether that is in passing;
-- nil if one may. `saga` is its last one.
local function why_not_begun(status, saga, lines)
  if status == 'paid' then
    return { 'paid', saga }
  end
  if status == 'submitted' or status == 'checking-out' then
    lasting()
    return { status, saga }
  end
  if status == 'cancelling' then
    return { status, saga }, true
  end
  if status == 'changing' then
    return { 'order-changing' }, true
  end
  if over[status] then
    return { over[status] }
  end
  if lines == '' then
    return { 'empty' }
  end
  return nil
end
