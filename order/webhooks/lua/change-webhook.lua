--- @include "single"
-- change-webhook: changes what is given of a webhook. What failed before is tried again at once. A secret that is replaced signs
-- for another day, beside the new one.
-- ARGS     log_id, webhook, url, events, enabled (yes or no), secret (each of them only if it is to be another one)
-- RETURNS  changed | rotated, secret | unknown
local DAY_MS = 86400000

commands['change-webhook'] = function(args)
  local key = names.webhook .. args.webhook
  local before = redis.call('HGET', key, 'secret')
  if not before then
    return { 'unknown' }
  end
  emit_single('WebhookSet', args.log_id, { 'webhook', args.webhook, 'done', args.secret and 'secret-rotated' or 'changed' })
  if args.url then
    redis.call('HSET', key, 'url', args.url)
  end
  if args.events then
    redis.call('HSET', key, 'events', args.events)
  end
  if args.enabled then
    redis.call('HSET', key, 'enabled', args.enabled)
    redis.call('HDEL', key, 'why')
  end
  redis.call('HINCRBY', key, 'version', 1)
  redis.call('HDEL', key, 'next', 'wait', 'failures', 'error')
  if not args.secret then
    return { 'changed' }
  end
  redis.call('HSET', key, 'secret', args.secret, 'old_secret', before, 'old_until', integer(now_ms() + DAY_MS))
  return { 'rotated', args.secret }
end
