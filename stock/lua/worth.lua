--- @include "things"
-- worth(item): how many there are on the shelf.
function counted.worth(item)
  return redis.call('HGET', names.item .. item, 'stock') or ''
end

-- touched(said, touch): calls `touch` for each item that an entry may have changed.
function counted.touched(said, touch)
  if said.item and said.item ~= '' then
    touch(said.item)
  end
  for item in string.gmatch(said.lines or '', '([^:,]+):%d+') do
    touch(item)
  end
end
