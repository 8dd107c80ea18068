--- @include "single"
--- @include "ledger"
--- @include "order"
-- init-orders: makes the orders `first` to `last` anew, each of a random user, with two random lines of one piece. The
-- random numbers follow from the seed, so the log says all. Does nothing while one of the orders is being checked out.
-- What was paid stays so in the ledger, whose `replaced-` accounts say how much of it no order shows any more; and a refund stays
-- known, so that it is settled once, but is shown no more.
-- ARGS     log_id, first, last, items, users, price, seed
-- RETURNS  initialised, or in passing: busy, order
commands['init-orders'] = function(args)
  local first, last = tonumber(args.first), tonumber(args.last)
  local paid, users_before, versions = {}, {}, {}
  for order = first, last do
    local status, total, lines, user, version, returned, refunded, undone = unpack(redis.call('HMGET', names.order .. order,
      'status', 'total', 'lines', 'user', 'version', 'returned', 'refunded', 'undone'))
    if status == 'submitted' or status == 'checking-out' or status == 'cancelling' or status == 'changing' then
      return { 'busy', tostring(order) }, true
    end
    if was_paid(status, refunded, undone) then
      paid[#paid + 1] = { order = order, total = total, lines = lines, returned = returned, refunded = refunded }
    end
    -- A client that has seen the order as it was must not take it for the new one, also if this Redis has forgotten it.
    users_before[order], versions[order] = user, later_version(version)
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
  local total, at = integer(2 * price), integer(now_ms())
  local number = next_numbers(last - first + 1) - (last - first)
  for order = first, last do
    local key = names.order .. order
    local user, one, other = tostring(random(users)), random(items), random(items)
    local lines, costs = one .. ':2', one .. ':' .. total
    if one ~= other then
      lines = one .. ':1,' .. other .. ':1'
      costs = one .. ':' .. args.price .. ',' .. other .. ':' .. args.price
    end
    redis.call('HSET', key, 'user', user, 'status', 'open', 'total', total, 'lines', lines, 'costs', costs,
      'number', integer(number), 'version', versions[order], 'at', at)
    redis.call('HDEL', key, 'saga', 'updated', 'method', 'installments', 'once', 'returned', 'refunded', 'undone', 'invoices', 'notes',
      'replaced', 'give_up', 'why', 'refund', 'billed', 'draft', 'amendment', 'amendments', 'amended', 'amends',
      'made', 'unshown')
    redis.call('DEL', names.unshown .. order)
    list_order(integer(order), user, integer(number), users_before[order])
    number = number + 1
  end
  for _, replaced in ipairs(paid) do
    post('replaced-paid', replaced.total)
    post_lines('replaced-sold', 1, replaced.lines)
    if replaced.refunded then
      post('replaced-paid', minus(replaced.refunded))
      post_lines('replaced-sold', -1, replaced.returned)
      for _, refund in ipairs(redis.call('HKEYS', names.refunds .. replaced.order)) do
        redis.call('HSET', names.refunds .. replaced.order, refund, '')
      end
    end
  end
  return { 'initialised' }
end
