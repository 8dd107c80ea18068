--- @include "order"
-- join: answers a request that needs no checkout of its own, so that its answer is remembered under its key.
-- ARGS     order, saga (the order's last checkout, if the request joins it; or '')
-- RETURNS  joined, saga | paid, saga | empty | order-cancelled | order-expired, or in passing: changed | order-changing
-- WRITES   the answer under the request's key
function commands.join(args)
  local status, saga, lines = unpack(redis.call('HMGET', names.order .. args.order, 'status', 'saga', 'lines'))
  if status == 'paid' then
    return { 'paid', saga or '' }
  end
  if status == 'changing' then
    return { 'order-changing' }, true
  end
  if over[status] then
    return { over[status] }
  end
  if saga and saga == args.saga then
    lasting()
    return { 'joined', saga }
  end
  if status == 'open' and lines == '' then
    return { 'empty' }
  end
  return { 'changed' }, true
end
