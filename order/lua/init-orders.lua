--- @include "single"
--- @include "ledger"
-- init-orders: makes the orders `first` to `last` anew, each of a random user, with two random lines of one piece. The
-- random numbers follow from the seed, so the log says all. Does nothing while one of the orders is being checked out.
-- What was paid stays so in the ledger, whose `replaced-` accounts say how much of it no order shows any more.
-- ARGS     log_id, first, last, items, users, price, seed
-- RETURNS  initialised, or in passing: busy, order
commands['init-orders'] = function(args)
  local first, last = tonumber(args.first), tonumber(args.last)
  local paid = {}
  for order = first, last do
    local status, total, lines = unpack(redis.call('HMGET', names.order .. order, 'status', 'total', 'lines'))
    if status == 'checking-out' or status == 'cancelling' then
      return { 'busy', tostring(order) }, true
    end
    if status == 'paid' then
      paid[#paid + 1] = { total, lines }
    end
  end
  emit_single('OrdersInitialised', args.log_id, { 'first', args.first, 'last', args.last, 'items', args.items,
    'users', args.users, 'price', args.price, 'seed', args.seed })
  -- The minimal standard generator of Park and Miller (1988), exact in doubles.
  local state = tonumber(args.seed) % 2147483646 + 1
  local function random(below)
    state = state * 16807 % 2147483647
    return math.floor(state / 2147483647 * below)
  end
  local users, items, price = tonumber(args.users), tonumber(args.items), tonumber(args.price)
  local total = integer(2 * price)
  for order = first, last do
    local key = names.order .. order
    local user, one, other = random(users), random(items), random(items)
    local lines = one == other and one .. ':2' or one .. ':1,' .. other .. ':1'
    redis.call('HSET', key, 'user', user, 'status', 'open', 'total', total, 'lines', lines)
    redis.call('HDEL', key, 'saga')
  end
  for _, replaced in ipairs(paid) do
    post('replaced-paid', replaced[1])
    post_lines('replaced-sold', 1, replaced[2])
  end
  return { 'initialised' }
end
