-- features: the features that operators have switched.
-- ABOUT    nothing
-- RETURNS  `off` and the name of each that is off, `on` and the name of each that is on though it is off at first
-- WRITES   nothing
function queries.features()
  local switched = {}
  for state, key in pairs({ off = names.features_off, on = names.features_on }) do
    for _, name in ipairs(redis.call('SMEMBERS', key)) do
      switched[#switched + 1] = state .. ' ' .. name
    end
  end
  return switched
end
