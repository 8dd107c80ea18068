--- @include "checkout"
-- begin: starts the checkout of an open order, once: the same log id again returns that it has begun. What was read
-- before must still be so: another checkout of the order may have been refused since, or a line added.
-- ARGS     log_id, order, user (whose lock is held), token (of the lock), timeout_ms (until the deadline), saga (as read),
--          lines (the same), again (if it may have been begun under this log id)
-- RETURNS  begun, saga | checking-out, saga | paid, saga | empty | order-cancelled | order-expired | unknown
--          or in passing: cancelling, saga | moved, user (the order is another user's now, or has changed)
function commands.begin(args)
  local id = args.log_id
  local order = redis.call('HMGET', names.order .. args.order, 'user', 'status', 'saga', 'total', 'lines', 'version')
  local user, status, saga, total, lines, version = unpack(order)
  if not user then
    return { 'unknown' }
  end
  if saga == id or (args.again and is_recorded(id)) then
    return { 'begun', id }
  end
  if status == 'paid' then
    return { 'paid', saga }
  end
  if status == 'checking-out' then
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
  if user ~= args.user or (args.saga or saga or '') ~= (saga or '') or (args.lines or lines) ~= lines then
    return { 'moved', user }, true
  end
  local started = {
    order = args.order, user = user, total = total, lines = lines,
    deadline = integer(now_ms() + tonumber(args.timeout_ms)), token = args.token, previous = saga or '',
  }
  redis.call('HSET', names.order .. args.order, 'status', 'checking-out', 'saga', id,
    'version', later_version(version))
  emit_saga(id, started, 'checking-out')
  return { 'begun', id }
end
