--- @include "single"
-- set-feature: switches a feature of the service on or off, once. Those that are off are recorded.
-- ARGS     log_id, feature, on (yes or no)
-- RETURNS  set | unchanged
commands['set-feature'] = function(args)
  local is_on = redis.call('SISMEMBER', names.features_off, args.feature) == 0
  if is_on == (args.on == 'yes') then
    return { 'unchanged' }
  end
  emit_single('FeatureSet', args.log_id, { 'feature', args.feature, 'on', args.on })
  redis.call(args.on == 'yes' and 'SREM' or 'SADD', names.features_off, args.feature)
  return { 'set' }
end
