--- @include "single"
-- create-webhook: has events sent to a URL, from what is appended after this.
-- ARGS     log_id, webhook, url, events (types, separated by commas), secret, enabled (yes or no), most (webhooks that there may be)
-- RETURNS  created, webhook, secret, or in passing: too-many
commands['create-webhook'] = function(args)
  if redis.call('SCARD', names.webhooks) >= tonumber(args.most) then
    return { 'too-many' }, true
  end
  local cursor = emit_single('WebhookSet', args.log_id, { 'webhook', args.webhook, 'done', 'created' })
  redis.call('SADD', names.webhooks, args.webhook)
  redis.call('HSET', names.webhook .. args.webhook, 'url', args.url, 'events', args.events, 'secret', args.secret,
    'enabled', args.enabled, 'cursor', cursor, 'version', '1', 'created', integer(now_ms()))
  return { 'created', args.webhook, args.secret }
end
