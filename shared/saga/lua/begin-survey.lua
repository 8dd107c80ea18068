--- @include "survey"
-- begin-survey: begins a survey, unless there was one a short while ago, or all entries are young. It does so also where
-- nothing was appended since: those that follow it may have appended much, and their logs are trimmed no further than it came.
-- More unfinished sagas than one entry should name are left until they are fewer.
-- ARGS     pause_ms, open_max
-- RETURNS  surveyed, log_id | early | too-many
commands['begin-survey'] = function(args)
  local early = now_ms() - tonumber(args.pause_ms)
  local oldest = redis.call('XRANGE', names.log, '-', '+', 'COUNT', 1)[1]
  if not oldest or tonumber(appended_ms(oldest[1])) > early then
    return { 'early' }
  end
  for _, survey in ipairs(surveys()) do
    if tonumber(appended_ms(survey.at)) > early then
      return { 'early' }
    end
  end
  local open = redis.call('ZRANGE', names.open, 0, args.open_max)
  if #open > tonumber(args.open_max) then
    return { 'too-many' }
  end
  local id = 'survey-' .. integer(now_ms())
  pass_on(id, table.concat(open, ','))
  return { 'surveyed', id }
end
