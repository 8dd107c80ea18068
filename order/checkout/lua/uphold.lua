--- @include "checkout"
-- uphold: this Redis came back without what a client was answered about a checkout. One that was not to be charged is cancelled
-- anew, before it can be paid, whether or not it is known still. One that was paid is rebuilt from what payment has emitted, if
-- it is at all. What was decided otherwise meanwhile is a contradiction.
-- ARGS     log_id, order, user, total, told (paid, failed or cancelled)
-- RETURNS  kept | lost | cancelled, decision | contradicted, saga, by, order | repeated
function commands.uphold(args)
  local id = args.log_id
  local saga = load_saga(id)
  local state = saga and saga.state or 'none'
  if args.told == 'paid' then
    if state == 'paid' or redis.call('HGET', names.order .. args.order, 'status') == 'paid' then
      return { 'kept' }
    end
    if state == 'none' or state == 'checking-out' then
      return { 'lost' }
    end
    return contradict(id, saga, 'told-paid')
  end
  if state == 'paid' then
    return contradict(id, saga, 'told-' .. args.told)
  end
  if state ~= 'none' and state ~= 'checking-out' then
    return { 'kept' }
  end
  if state == 'none' then
    saga = { order = args.order, user = args.user, total = args.total, lines = '' }
  end
  cancel_checkout(id, saga, 'deadline')
  return decision('cancelled', id, saga)
end
