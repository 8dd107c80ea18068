--- @include "drafted"
-- note-void: payment has voided the draft of an order. One that may be paid yet, because this Redis has lost that it is not to be (it came
-- back older), is to have another one.
-- ARGS     log_id, order, order_version
-- RETURNS  requested | deferred | nothing
commands['note-void'] = function(args)
  local status, billed = unpack(redis.call('HMGET', names.order .. args.order, 'status', 'billed'))
  if not may_be_paid[status] or not billed or tonumber(billed) > tonumber(args.order_version) then
    return { 'nothing' }
  end
  return replace_draft(args.log_id, args.order, status)
end
