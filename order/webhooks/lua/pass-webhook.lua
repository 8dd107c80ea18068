--- @include "delivery"
-- pass-webhook: moves the cursor of a webhook over what is delivered, or does not concern it, or was trimmed before it was. It
-- moves only from where the caller has found it: of two processes that deliver at once, one does.
-- ARGS     webhook, from, to, version, note (of an attempt that was taken, in JSON), lost (yes, if what lies between was trimmed)
-- RETURNS  passed | changed (passed, but it is to be read again) | moved (not passed)
commands['pass-webhook'] = function(args)
  local key = names.webhook .. args.webhook
  local cursor, version = unpack(redis.call('HMGET', key, 'cursor', 'version'))
  if cursor ~= args.from then
    return { 'moved' }
  end
  redis.call('HSET', key, 'cursor', args.to)
  if args.note then
    redis.call('HSET', key, 'delivered', integer(now_ms()))
    redis.call('HDEL', key, 'next', 'wait', 'failures', 'error')
    note_in(names.deliveries, args.webhook, args.note)
  end
  if args.lost then
    note_in(names.webhook_lost, args.webhook, args.from .. ' ' .. args.to .. ' ' .. integer(now_ms()))
  end
  return { version == args.version and 'passed' or 'changed' }
end
