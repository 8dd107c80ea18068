--- @often
--- @include "issued"
--- @include "wallet"
-- hold: sets the total of a checkout aside in its user's wallet, once. One that is captured is read of again, and so was its order, where
-- this Redis came back older: what that had drafted is issued.
-- ARGS     log_id, order, user, total, lines, amends, back, costs (these three of an amendment)
-- RETURNS  held | refused | waiting | repeated
function commands.hold(args)
  local id = args.log_id
  local known = is_recorded(id) and load_saga(id)
  if known then
    if known.state == 'captured' then
      end_draft(known.order)
    end
    return repeated(id, known)
  end
  local saga = {
    state = 'waiting', order = args.order, user = args.user, total = args.total, lines = args.lines,
    amends = args.amends, back = args.back, costs = args.costs,
  }
  local queue = names.waiting .. saga.user
  local credit, held = wallet(saga.user)
  local is_first = not credit or held == 0 or redis.call('EXISTS', queue) == 0
  if is_first and grant(id, saga, credit, held) then
    return { saga.state }
  end
  store_saga(id, saga)
  redis.call('RPUSH', queue, id)
  place(id, saga, integer(now_ms()))
  return { 'waiting' }
end
