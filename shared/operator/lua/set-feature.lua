--- @include "single"
-- set-feature: switches a feature of the service on or off, once. Those that are off are recorded, and those that are on though they are
-- off at first.
-- ARGS     log_id, feature, on, at_first (yes or no: whether it is on, and was before any operator has switched it)
-- RETURNS  set | unchanged
commands['set-feature'] = function(args)
  local is_off = redis.call('SISMEMBER', names.features_off, args.feature) == 1
  local is_set_on = redis.call('SISMEMBER', names.features_on, args.feature) == 1
  local is_on = not is_off and (is_set_on or args.at_first == 'yes')
  if is_on == (args.on == 'yes') then
    return { 'unchanged' }
  end
  emit_single('FeatureSet', args.log_id, { 'feature', args.feature, 'on', args.on })
  redis.call('SREM', args.on == 'yes' and names.features_off or names.features_on, args.feature)
  if args.on == 'no' then
    redis.call('SADD', names.features_off, args.feature)
  elseif args.at_first == 'no' then
    redis.call('SADD', names.features_on, args.feature)
  end
  return { 'set' }
end
