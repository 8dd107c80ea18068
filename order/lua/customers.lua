-- Customers are users of whom payment was asked, and who had an order made then: `names.known_at .. 'payment'`. A user is never taken
-- away, so payment need not be asked again. They are forgotten when payment has lost what it said last: see lose.lua.

-- note_customer(user): a user whom payment has.
local function note_customer(user)
  redis.call('SADD', names.known_at .. 'payment', user)
end
