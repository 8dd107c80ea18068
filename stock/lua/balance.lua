--- @include "things"
-- balance(item): how many there are on the shelf.
function counted.balance(item)
  return redis.call('HGET', names.item .. item, 'stock') or ''
end

-- touched(payload, touch): calls `touch` for each item that an entry may have changed.
function counted.touched(payload, touch)
  if payload.item and payload.item ~= '' then
    touch(payload.item)
  end
  for item in string.gmatch(payload.lines or '', '([^:,]+):%d+') do
    touch(item)
  end
end
