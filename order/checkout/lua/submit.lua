--- @include "submitted"
-- submit: has the checkout of an open order wait until it is begun, once: the same log id again returns that it was submitted.
-- ARGS     log_id, order, timeout_ms (until the deadline), most (how many may wait)
-- RETURNS  submitted, saga | checking-out, saga | paid, saga | empty | order-cancelled | order-expired | unknown
--          or in passing: cancelling, saga | full
function commands.submit(args)
  local found = redis.call('HMGET', names.order .. args.order, 'user', 'status', 'saga', 'total', 'lines', 'version')
  local user, status, saga, total, lines, version = unpack(found)
  if not user then
    return { 'unknown' }
  end
  if saga == args.log_id then
    return { 'submitted', saga }
  end
  if status == 'paid' then
    return { 'paid', saga }
  end
  if status == 'submitted' or status == 'checking-out' then
    lasting()
    return { status, saga }
  end
  if status == 'cancelling' then
    return { status, saga }, true
  end
  if over[status] then
    return { over[status] }
  end
  if lines == '' then
    return { 'empty' }
  end
  if not can_submit(args.most) then
    return { 'full' }, true
  end
  local order = { order = args.order, user = user, saga = saga, total = total, lines = lines, version = version }
  submit_checkout(args.log_id, order, integer(now_ms() + tonumber(args.timeout_ms)))
  return { 'submitted', args.log_id }
end
