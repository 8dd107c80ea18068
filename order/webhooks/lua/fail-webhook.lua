--- @include "single"
--- @include "delivery"
-- fail-webhook: notes that an attempt has failed, and when there may be another one; a receiver that is gone gets none. What was changed
-- or passed meanwhile is let be.
-- ARGS     log_id, webhook, from, version, wait_ms, note (of the attempt, in JSON), error (in a line), gone (yes or no)
-- RETURNS  failed | disabled | moved
commands['fail-webhook'] = function(args)
  local key = names.webhook .. args.webhook
  local cursor, version = unpack(redis.call('HMGET', key, 'cursor', 'version'))
  if cursor ~= args.from or version ~= args.version then
    return { 'moved' }
  end
  local is_gone = args.gone == 'yes'
  if is_gone then
    emit_single('WebhookSet', args.log_id, { 'webhook', args.webhook, 'done', 'disabled' })
    redis.call('HSET', key, 'enabled', 'no', 'why', 'gone')
  end
  note_in(names.deliveries, args.webhook, args.note)
  redis.call('HINCRBY', key, 'failures', 1)
  redis.call('HSET', key, 'error', args.error, 'wait', args.wait_ms, 'next', integer(now_ms() + tonumber(args.wait_ms)))
  return { is_gone and 'disabled' or 'failed' }
end
