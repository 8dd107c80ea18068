--- @include "placed"
--- @include "submitted"
-- place-and-submit: makes an order over a value, without lines, and has its checkout wait until it is begun, in one step: so there is none
-- that nobody begins. It has that one try: if it fails, the order is cancelled.
-- ARGS     log_id, order, user, total, method, installments, saga (the log id of its checkout), once (that of its cancellation),
--          timeout_ms (until the deadline), most (how many may wait)
-- RETURNS  submitted, order, log_id, saga, or in passing: full
commands['place-and-submit'] = function(args)
  if not can_submit(args.most) then
    return { 'full' }, true
  end
  place_order(args, '', '')
  redis.call('HSET', names.order .. args.order, 'once', args.once)
  submit_checkout(args.saga, { order = args.order, user = args.user, total = args.total, lines = '' },
    integer(now_ms() + tonumber(args.timeout_ms)))
  return { 'submitted', args.order, args.log_id, args.saga }
end
