--- @include "submitted"
--- @include "why-not-begun"
-- submit: has the checkout of an open order wait until it is begun, once: the same log id again returns that it was submitted.
-- ARGS     log_id, order, timeout_ms (until the deadline), most (how many may wait)
-- RETURNS  submitted, saga | checking-out, saga | paid, saga | empty | order-cancelled | order-expired | unknown
--          or in passing: cancelling, saga | order-changing | full
function commands.submit(args)
  local found = redis.call('HMGET', names.order .. args.order, 'user', 'status', 'saga', 'total', 'lines', 'version')
  local user, status, saga, total, lines, version = unpack(found)
  if not user or is_anothers(user) then
    return { 'unknown' }
  end
  if saga == args.log_id then
    return { 'submitted', saga }
  end
  local refusal, in_passing = why_not_begun(status, saga, lines)
  if refusal then
    return refusal, in_passing
  end
  if not can_submit(args.most) then
    return { 'full' }, true
  end
  local order = { order = args.order, user = user, saga = saga, total = total, lines = lines, version = version }
  submit_checkout(args.log_id, order, integer(now_ms() + tonumber(args.timeout_ms)))
  return { 'submitted', args.log_id }
end
