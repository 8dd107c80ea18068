-- features: the features that are switched off.
-- ABOUT    nothing
-- RETURNS  their names
-- WRITES   nothing
function queries.features()
  return redis.call('SMEMBERS', names.features_off)
end
