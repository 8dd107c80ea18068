--- @include "shelf"
--- @include "ledger"
-- restock: takes the goods of a refund back, once: onto the shelf, or as written off. Its money is back already, so that
-- nothing can be refused. An item that is unknown here is not made, and where there is no room nothing is done: the entry is a
-- dead letter until the goods can be put there.
-- ARGS     log_id, order, user, total, lines, restock (shelf or none), amends (if it is of an amendment), checkouts (of which
--          its order had its goods, the last one first; not in entries of older versions), unpaid (for which of these nothing
--          is captured, if payment knows some)
-- RETURNS  restocked | written-off | repeated

-- bring_back(checkouts, unpaid, lines): of which of these the goods are: each that is taken has what there is `before` then.
-- Returns these, by their log ids, and what was back before, by all that is known: it was returned with its checkout, or another
-- refund, or never taken. What one of which nothing is recorded (any more) may have had is none of that, unless it is unpaid:
-- then this Redis came back older, and has not taken it (yet); and what such a one may have had.
local function bring_back(checkouts, unpaid, lines)
  local found, are_known, are_awaited, left = {}, checkouts ~= '', false, lines
  for id in string.gmatch(checkouts, '[^,]+') do
    local saga = load_saga(id)
    local is_unpaid = not saga and string.find(',' .. unpaid .. ',', ',' .. id .. ',', 1, true)
    are_awaited = are_awaited or is_unpaid
    local out = saga and saga.state == 'taken' and without(saga.lines, saga.before or '') or ''
    local rest = without(left, out)
    if rest ~= left then
      saga.before = without(saga.lines, without(out, left))
      found[id] = saga
    end
    are_known, left = are_known and (saga or is_unpaid), rest
  end
  left = left ~= '' and left or nil
  return found, are_known and left or nil, are_awaited and left or nil
end

function commands.restock(args)
  local id = args.log_id
  local known = load_saga(id)
  if known then
    emit_again(id, known)
    return { 'repeated' }
  end
  local saga = {
    order = args.order, user = args.user, total = args.total, lines = args.lines, restock = args.restock, amends = args.amends,
    checkouts = args.checkouts,
  }
  local found, before, awaited = bring_back(args.checkouts or '', args.unpaid or '', saga.lines)
  local shelved = ''
  if saga.restock == 'shelf' then
    saga.before = before
    saga.awaited = before and awaited
    shelved = without(saga.lines, before or '')
    put_back(shelved, true)
  else
    saga.awaited = awaited
  end
  post_back(saga.lines, shelved)
  for checkout, brought in pairs(found) do
    store_saga(checkout, brought)
  end
  local state = saga.restock == 'shelf' and 'restocked' or 'written-off'
  emit_saga(id, saga, state)
  return { state }
end
