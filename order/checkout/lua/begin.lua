--- @include "checkout"
--- @include "why-not-begun"
--- @rarely "lock-token"
-- begin: starts the checkout of an open order, or one that was submitted, once: the same log id again returns that it has begun, or
-- that it is under way if another request has begun it under a lock of its own. What was read before must still be so: another
-- checkout of the order may have been refused since, or a line added. What was submitted keeps its deadline.
-- ARGS     log_id, order, user (whose lock is held), token (of the lock), timeout_ms (until the deadline), saga (as read),
--          lines (the same), again (if it may have been begun under this log id)
-- RETURNS  begun, saga | submitted, saga | checking-out, saga | paid, saga | empty | order-cancelled | order-expired | unknown
--          or in passing: cancelling, saga | order-changing | moved, user (the order is another user's now, or has changed)

-- begin_submitted(id, token): it waits no more.
local function begin_submitted(id, token)
  local saga = load_saga(id)
  leave_submitted(id, saga)
  saga.token = token
  order_status(id, saga, 'checking-out')
  emit_saga(id, saga, 'checking-out')
end

-- is_begun_by(id, token): whether this checkout was begun under the lock with this token, as far as that is recorded still.
local function is_begun_by(id, token)
  local recorded = load_saga(id)
  local its_token = recorded and recorded.token or ''
  return its_token == '' or its_token == token
end

function commands.begin(args)
  local id = args.log_id
  local order = redis.call('HMGET', names.order .. args.order, 'user', 'status', 'saga', 'total', 'lines', 'version')
  local user, status, saga, total, lines, version = unpack(order)
  if not user then
    return { 'unknown' }
  end
  if saga == id and status == 'submitted' then
    if user ~= args.user then
      return { 'moved', user }, true
    end
    begin_submitted(id, args.token)
    return { 'begun', id }
  end
  if saga == id or (args.again and is_recorded(id)) then
    return { is_begun_by(id, args.token) and 'begun' or 'checking-out', id }
  end
  local stale = args.again and rarely.token_seen_before(args)
  if stale then
    return stale, true
  end
  local refusal, in_passing = why_not_begun(status, saga, lines)
  if refusal then
    return refusal, in_passing
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
