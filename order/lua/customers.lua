-- Customers are users of whom payment was asked, and who had an order made then: `names.known_at .. 'payment'`. A user is never taken
-- away, so payment need not be asked again. But its Redis may have come back older: they are forgotten when that is noticed (see lose.lua),
-- and each of whom payment says that there is no such user.

-- is_stranger(args): whether it is not known of the user of an order that is to be made, but was to be: `customer` is known then.
local function is_stranger(args)
  return args.customer == 'known' and redis.call('SISMEMBER', names.known_at .. 'payment', args.user) == 0
end

-- note_customer(args): that payment has the user of an order that is made, if it was asked for that: `customer` is new then.
local function note_customer(args)
  if args.customer == 'new' then
    redis.call('SADD', names.known_at .. 'payment', args.user)
  end
end

-- forget_customer(user): one whom payment does not have, or not any more.
local function forget_customer(user)
  redis.call('SREM', names.known_at .. 'payment', user)
end
