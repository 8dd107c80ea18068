--- @include "amendment"
-- amend-order: changes the lines of a paid order, if its version is one of those that are wanted, and it was not changed after a time. If
-- less is wanted only, that is done at once, and what leaves is refunded; else the order is changing until payment and stock have done
-- their part. What is so already is no change. What is to become of it follows from the order as it was read, so nothing is done
-- if it is another one by now. Of an order that was refunded in part, nothing is changed.
-- ARGS     log_id, order, versions (separated by blanks, or `any`), since (the time, or ''), read (its version as it was read),
--          timeout_ms (until the deadline), take (the pieces that are added), back (those that leave), total (what it costs from
--          then on), costs (what each line does; none of these four if it could not be amended as it was read)
-- RETURNS  amending, saga | amended, refund, order, user, total, lines, restock, entry, amends | unchanged | unknown | closed, status
--          | stale, version | outdated, version | partly-refunded | too-many
--          or in passing: moved | contradicted | changing, status

-- why_not_amended(order, args): what is returned of an order that is not amended now, and whether that is in passing; nil if it may be.
local function why_not_amended(order, args)
  if over[order.status] then
    return { 'closed', order.status }
  end
  if order.status == 'open' then
    return { 'moved' }, true
  end
  if order.status ~= 'paid' then
    return { 'changing', order.status }, true
  end
  if not is_wanted(args.versions, order.version) then
    return { 'stale', order.version }
  end
  local at, updated, amendments = unpack(redis.call('HMGET', names.order .. order.id, 'at', 'updated', 'amendments'))
  if args.since ~= '' and tonumber(args.since) < math.max(tonumber(order.version), tonumber(updated or at or '0')) then
    return { 'outdated', order.version }
  end
  if redis.call('SISMEMBER', names.contradictions, order.id) == 1 then
    return { 'contradicted' }, true
  end
  if not is_whole(order) then
    return { 'partly-refunded' }
  end
  if tonumber(amendments or '0') >= limits.amendments_max then
    return { 'too-many' }
  end
  if order.version ~= args.read or not args.costs then
    return { 'moved' }, true
  end
  return nil
end

-- begin_amendment(id, order, args): has payment and stock do their part, by the entries of a checkout.
local function begin_amendment(id, order, args)
  local saga = {
    order = order.id, user = order.user, total = integer(math.max(tonumber(args.total) - order.total, 0)), lines = args.take,
    deadline = integer(now_ms() + tonumber(args.timeout_ms)), amends = order.version, back = args.back, costs = args.costs,
  }
  redis.call('HSET', names.order .. order.id, 'status', 'changing', 'amendment', id,
    'version', later_version(order.version))
  emit_saga(id, saga, 'checking-out')
end

commands['amend-order'] = function(args)
  local id = args.log_id
  local order = order_for_refund(args.order)
  if not order or is_anothers(order.user) then
    return { 'unknown' }
  end
  local refusal, in_passing = why_not_amended(order, args)
  if refusal then
    return refusal, in_passing
  end
  if args.take ~= '' then
    begin_amendment(id, order, args)
    return { 'amending', id }
  end
  if args.back == '' then
    return { 'unchanged' }
  end
  local alone = { total = '0', lines = '', amends = order.version, back = args.back, costs = args.costs }
  local refund = amend(id, alone, order)
  return { 'amended', id .. BACK, refund.order, refund.user, refund.total, refund.lines, refund.restock, refund.entries,
    refund.amends }
end
