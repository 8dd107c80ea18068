--- @include "shelf"
--- @include "ledger"
-- restock: takes the goods of a refund back, once: onto the shelf, or as written off. Its money is back already, so that
-- nothing can be refused. An item that is unknown here is not made, and where there is no room nothing is done: the entry is a
-- dead letter until the goods can be put there.
-- ARGS     log_id, order, user, total, lines, restock (shelf or none)
-- RETURNS  restocked | written-off | repeated

-- assert_room(lines): each item is there, and of each there can be so many more.
local function assert_room(lines)
  for item, quantity in each_line(lines) do
    local stock = redis.call('HGET', names.item .. item, 'stock')
    if not stock then
      error('there is no item ' .. item, 0)
    end
    if tonumber(stock) + tonumber(quantity) > limits.amount_max then
      error('the shelf has no room for ' .. quantity .. ' of ' .. item, 0)
    end
  end
end

function commands.restock(args)
  local id = args.log_id
  local known = load_saga(id)
  if known then
    emit_again(id, known)
    return { 'repeated' }
  end
  local saga = {
    order = args.order, user = args.user, total = args.total, lines = args.lines, restock = args.restock,
  }
  if saga.restock ~= 'shelf' then
    post_lines('taken', -1, saga.lines)
    post_lines('written-off', 1, saga.lines)
    emit_saga(id, saga, 'written-off')
    return { 'written-off' }
  end
  assert_room(saga.lines)
  for item, quantity in each_line(saga.lines) do
    redis.call('HINCRBY', names.item .. item, 'stock', quantity)
  end
  post_lines('taken', -1, saga.lines)
  emit_saga(id, saga, 'restocked')
  return { 'restocked' }
end
