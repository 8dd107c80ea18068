--- @include "changing"
--- @include "contradiction"
--- @include "drafted"
--- @include "submitted"
--- @include "undone"
-- uphold: this Redis came back without what a client was answered about a checkout. One that was not to be charged is cancelled
-- anew, before it can be paid, whether or not it is known still. One that was paid is rebuilt from what payment has emitted, which is
-- applied by now. What was decided otherwise meanwhile is a contradiction; and so is what payment has forgotten as well, until it is paid
-- after all, unless its customer has cancelled the order. One of which it was said that it is under way is submitted
-- again if its order is as it was, else it ends.
-- ARGS     log_id, order, user, total, told (under-way, paid, failed or cancelled), lines, deadline (both of what is under way), amends (of
--          an amendment)
-- RETURNS  kept | lost | submitted | cancelled, decision | contradicted, saga, by, order | repeated

-- submit_again(id, args): makes a checkout true again of which this Redis has lost that it is under way.
local function submit_again(id, args)
  local found = redis.call('HMGET', names.order .. args.order, 'user', 'status', 'saga', 'total', 'lines', 'version')
  local user, status, saga, total, lines, version = unpack(found)
  if not user then
    return { 'lost' }
  end
  local order = { order = args.order, user = user, saga = saga, total = total, lines = lines, version = version }
  if status == 'open' and user == args.user and total == args.total and lines == args.lines then
    submit_checkout(id, order, args.deadline)
    return { 'submitted' }
  end
  local ended = { order = args.order, user = args.user, total = args.total, lines = args.lines or '' }
  withdraw(id, ended, 'deadline')
  return decision('cancelled', id, ended)
end

-- is_told_by(args): whether an order shows that it was paid, or amended.
local function is_told_by(args)
  if args.amends then
    return has_amended(args.order, args.log_id)
  end
  local status = redis.call('HGET', names.order .. args.order, 'status')
  return status == 'paid' or status == 'changing'
end

function commands.uphold(args)
  local id = args.log_id
  local saga = load_saga(id)
  local state = saga and saga.state or 'none'
  if args.told == 'under-way' then
    return state == 'none' and submit_again(id, args) or { 'kept' }
  end
  if args.told == 'paid' then
    if state == 'paid' or is_told_by(args) then
      return { 'kept' }
    end
    if redis.call('HGET', names.order .. args.order, 'give_up') then
      return { 'lost' }
    end
    return state == 'none' and contradict_forgotten(id, args, TOLD_PAID) or contradict(id, saga, TOLD_PAID)
  end
  if state == 'paid' then
    return contradict(id, saga, 'told-' .. args.told)
  end
  if state == 'submitted' then
    withdraw(id, saga, 'deadline')
    request_missing_draft(id, saga.order)
    return decision('cancelled', id, saga)
  end
  if state ~= 'none' and state ~= 'checking-out' then
    return { 'kept' }
  end
  if state == 'none' then
    saga = { order = args.order, user = args.user, total = args.total, lines = '', amends = args.amends }
  end
  cancel_checkout(id, saga, 'deadline')
  return decision('cancelled', id, saga)
end
