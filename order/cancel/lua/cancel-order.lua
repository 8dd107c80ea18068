--- @include "cancelled"
--- @include "refunds"
--- @include "undone"
-- cancel-order: gives an order up for good. One that was never asked to be paid, or whose checkout waits to be begun, is
-- cancelled at once. A checkout that is under way is cancelled: this script and the one that ends it race on one key, so that
-- exactly one is the decision; once it is undone, the order is cancelled; where it is being undone already, an entry tells of
-- that, so that it is known should this Redis forget it. Of one that is paid all that is left is refunded; if it is contradicted,
-- a person is to see to that first. An amendment that is under way is cancelled, too, and undone by itself. Where it is upheld,
-- the order may be forgotten: then it is made, so that it is never paid.
-- ARGS     log_id, order, versions (separated by blanks, or `any`), refund (its log id; '' if nothing must be left),
--          restock (shelf or none), why (without blanks, if a client says so), user (if it is upheld)
-- RETURNS  cancelled | given-up, decision (of its checkout) | cancelling | refunded, refund, order, user, total, lines, restock, entry
--          | unknown | stale, version, or in passing: contradicted

-- cancel_paid(args, amendment): cancels a paid order, and the amendment of it that is under way, if there is one, and refunds all that is
-- left of it.
local function cancel_paid(args, amendment)
  local order = order_for_refund(args.order)
  local is_contradicted = redis.call('SISMEMBER', names.contradictions, args.order) == 1
  local left, why = refund_of(order, '')
  if is_contradicted or why == 'contradicted' or (args.refund == '' and left) then
    return { 'contradicted' }, true
  end
  if amendment then
    cancel_checkout(amendment, load_saga(amendment), 'customer')
    order.status, order.version = unpack(redis.call('HMGET', names.order .. args.order, 'status', 'version'))
  end
  local refund = grant_refund(args.refund, order, '', args.restock, args.why)
  rarely.give_up(args.order, args.log_id, args.why)
  if refund then
    redis.call('HSET', names.order .. args.order, 'refund', args.refund)
  end
  rarely.cancel_order(args.order)
  if not refund then
    return { 'cancelled' }
  end
  return { 'refunded', args.refund, refund.order, refund.user, refund.total, refund.lines, refund.restock, refund.entries }
end

commands['cancel-order'] = function(args)
  local user, status, version, last, amendment = unpack(redis.call('HMGET', names.order .. args.order, 'user', 'status', 'version',
    'saga', 'amendment'))
  if (not user and not args.user) or is_anothers(user) then
    return { 'unknown' }
  end
  if status == 'cancelled' then
    return { 'cancelled' }
  end
  version = version or '1'
  -- The gateway sends it again if its answer is lost: what has given the order up has made another version of it.
  local is_given_up = status == 'cancelling' and redis.call('HEXISTS', names.order .. args.order, 'give_up') == 1
  if not is_given_up and not is_wanted(args.versions, version) then
    return { 'stale', version }
  end
  if status == 'paid' or status == 'changing' then
    return cancel_paid(args, status == 'changing' and amendment)
  end
  if not status then
    open_order(args, '0', '', '')
  end
  local is_first = rarely.give_up(args.order, args.log_id, args.why)
  if status == 'cancelling' then
    if is_first then
      emit_single('CancellationRequested', args.log_id .. '-requested', given_up(args.order, user, args.why))
    end
    return { 'cancelling' }
  end
  if status == 'submitted' then
    local saga = load_saga(last)
    withdraw(last, saga, 'customer')
    return decision('given-up', last, saga)
  end
  if status == 'checking-out' then
    local saga = load_saga(last)
    cancel_checkout(last, saga, 'customer')
    return decision('given-up', last, saga)
  end
  rarely.cancel_order(args.order)
  return { 'cancelled' }
end
