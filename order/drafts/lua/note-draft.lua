--- @often
--- @include "drafted"
-- note-draft: payment has drafted the invoice of an order. If it shows a version that this service does not know (this Redis came back
-- older), it is to be drafted as the order is now; or not at all, if there is no such order any more.
-- ARGS     log_id, order, user, total, order_version
-- RETURNS  drafted, told (all, if it was announced to other replicas, or none) | requested | deferred | forgotten | repeated

-- announce_drafted(order, version): wakes the request that waits for this, in whichever replica it waits; one that is alone knows already.
-- Returns who was told: all, or none.
local subscribers_of_drafts
local function announce_drafted(order, version)
  subscribers_of_drafts = subscribers_of_drafts or redis.call('PUBSUB', 'NUMSUB', names.drafts)[2]
  if subscribers_of_drafts > 1 then
    redis.call('PUBLISH', names.drafts, order .. ' ' .. version)
    return 'all'
  end
  return 'none'
end

-- is_lost(status, billed, at, drafted): whether a change of an order was lost that payment knows of. One that knows of no draft was made
-- anew since (`at`), or had none when this Redis was as it is: whatever else has happened to it then.
local function is_lost(status, billed, at, drafted)
  return may_be_paid[status] and drafted > tonumber(billed or at or '1')
end

commands['note-draft'] = function(args)
  local key = names.order .. args.order
  local status, billed, at, draft = unpack(redis.call('HMGET', key, 'status', 'billed', 'at', 'draft'))
  if not status then
    append('OrderForgotten', args.log_id, 'order=' .. args.order .. ' user=' .. args.user)
    return { 'forgotten' }
  end
  local drafted = tonumber(args.order_version)
  if is_lost(status, billed, at, drafted) then
    return replace_draft(args.log_id, args.order, status)
  end
  if not billed or drafted <= drafted_version(draft) then
    return { 'repeated' }
  end
  redis.call('HSET', key, 'draft', args.order_version .. ':' .. args.total)
  return { 'drafted', announce_drafted(args.order, args.order_version) }
end
