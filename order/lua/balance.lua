--- @include "order"
--- @include "saga"
--- @include "things"
-- balance(order): `{money} {pieces}` of an order that was paid, less what was refunded, else ''; with ` ?` if the checkout that
-- it names says otherwise, or there never was one. What an order that was amended costs, and has, its checkout alone does not
-- say. Records of checkouts end with their entries: one that is gone says nothing.
function counted.balance(order)
  local key = names.order .. order
  local status, saga, refunded, undone = unpack(redis.call('HMGET', key, 'status', 'saga', 'refunded', 'undone'))
  local paid = was_paid(status, refunded, undone)
  if not paid and not saga then
    return ''
  end
  local total, lines, amendments = unpack(redis.call('HMGET', key, 'total', 'lines', 'amendments'))
  local inconsistent = paid and not saga
  if saga then
    local recorded = load_saga(saga) or {}
    local state, charged, sold = recorded.state, recorded.total, recorded.lines
    local is_other = not amendments and (charged ~= total or ((sold or '') ~= '' and sold ~= lines))
    inconsistent = state and (paid ~= (state == 'paid') or (paid and charged and is_other))
  end
  local text = ''
  if paid then
    local returned = redis.call('HGET', key, 'returned')
    local pieces = {}
    for item, quantity in string.gmatch(lines, '([^:,]+):(%d+)') do
      local _, back = apart(returned or '', item)
      pieces[#pieces + 1] = back and integer(tonumber(quantity) - back) or quantity
    end
    local money = refunded and integer(tonumber(total) - tonumber(refunded)) or total
    text = money .. ' ' .. table.concat(pieces, '+')
  end
  return inconsistent and text .. ' ?' or text
end

-- touched(payload, touch): calls `touch` for each order that an entry may have changed.
function counted.touched(payload, touch)
  if payload.order then
    touch(payload.order)
  end
end
