--- @include "things"
-- balance(user): what a wallet owns; money that is only held is still the user's.
function counted.balance(user)
  return redis.call('HGET', names.user .. user, 'credit') or ''
end

-- touched(payload, touch): calls `touch` for each wallet that an entry may have changed.
function counted.touched(payload, touch)
  if payload.user then
    touch(payload.user)
  end
end
