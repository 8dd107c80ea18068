--- @include "survey"
-- begin-survey: begins a survey, unless there was one a short while ago, nothing was said since, or all that was said is
-- young. More unfinished sagas than one entry should name are left until they are fewer.
-- FACTS    pause_ms, open_max
-- RETURNS  surveyed, log_id | early | too-many
deeds['begin-survey'] = function(facts)
  local last = redis.call('XREVRANGE', names.log, '+', '-', 'COUNT', 1)[1]
  if not last or last[2][1] == says.surveyed then
    return { 'early' }
  end
  local early = now_ms() - tonumber(facts.pause_ms)
  local oldest = redis.call('XRANGE', names.log, '-', '+', 'COUNT', 1)[1]
  if tonumber(told_ms(oldest[1])) > early then
    return { 'early' }
  end
  for _, survey in ipairs(surveys()) do
    if tonumber(told_ms(survey.at)) > early then
      return { 'early' }
    end
  end
  local open = redis.call('ZRANGE', names.open, 0, facts.open_max)
  if #open > tonumber(facts.open_max) then
    return { 'too-many' }
  end
  local id = 'survey-' .. integer(now_ms())
  pass_on(id, table.concat(open, ','))
  return { 'surveyed', id }
end
