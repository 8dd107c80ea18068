--- @include "log"
-- The lock service numbers those who come to hold a lock: a *token* is higher than each before it. A request may bear one, as the argument
-- `fence`; the thing that it is about, which the argument `names.fenced` names, keeps the highest that it has seen in its hash.
-- Whose the thing is, the field `names.owned_by` of that hash tells; where there is none, the thing is the owner.

-- token_seen_before(args): what is returned of a command whose thing has seen a higher token: nothing is done. Else nil, and the thing has
-- seen this one.
function rarely.token_seen_before(args)
  local id = args.fence and args[names.fenced]
  if not id then
    return nil
  end
  local key = names[names.fenced] .. id
  -- A caller that may not see the thing sets no token of it and learns none: the command itself refuses.
  if owner and is_anothers(names.owned_by and redis.call('HGET', key, names.owned_by) or id) then
    return nil
  end
  local newest = redis.call('HGET', key, 'fence')
  if newest and tonumber(newest) > tonumber(args.fence) then
    return { 'stale-lock-token', newest }
  end
  if newest ~= args.fence and (newest or redis.call('EXISTS', key) == 1) then
    redis.call('HSET', key, 'fence', args.fence)
  end
  return nil
end

-- stale_token(args): the same; but a command that is run again, because it is unknown what came of it, looks itself whether it was done.
function rarely.stale_token(args)
  return not args.again and rarely.token_seen_before(args) or nil
end
