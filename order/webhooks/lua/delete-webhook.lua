--- @include "single"
-- delete-webhook: forgets a webhook: nothing is sent any more, and nothing of it is known.
-- ARGS     log_id, webhook
-- RETURNS  deleted | unknown
commands['delete-webhook'] = function(args)
  if redis.call('SREM', names.webhooks, args.webhook) == 0 then
    return { 'unknown' }
  end
  emit_single('WebhookSet', args.log_id, { 'webhook', args.webhook, 'done', 'deleted' })
  redis.call('DEL', names.webhook .. args.webhook, names.deliveries .. args.webhook, names.webhook_lost .. args.webhook)
  return { 'deleted' }
end
