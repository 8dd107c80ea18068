--- @include "newest"
--- @include "saga"
-- A *survey* is how every service learns of which sagas no entry will ever be appended again. The service that begins sagas emits
-- it, with those that are not finished there. It is passed on from log to log, behind all entries of the others, and comes back:
-- a service that has applied its end has applied the last entry of every saga that was appended here before the survey came, but
-- for those that it names. So its way through the logs tells what no clock can. `names.survey` has, for each survey, where in the
-- own log it came, when it ended here (0: not yet), and the sagas that it names.
local SURVEYS_MAX = 64

-- surveys(): all that are remembered, each with its log id, `at`, `ended` and `open`.
local function surveys()
  local found = redis.call('HGETALL', names.survey)
  local all = {}
  for index = 1, #found, 2 do
    local at, ended, open = string.match(found[index + 1], '^(%S+) (%d+) (%S*)$')
    all[#all + 1] = { id = found[index], at = at, ended = tonumber(ended), open = open }
  end
  return all
end

-- remember_survey(survey): of those that do not end the oldest are given up.
local function remember_survey(survey)
  local all = redis.call('HEXISTS', names.survey, survey.id) == 0 and surveys() or {}
  if #all >= SURVEYS_MAX then
    table.sort(all, function(one, other) return tonumber(appended_ms(one.at)) < tonumber(appended_ms(other.at)) end)
    redis.call('HDEL', names.survey, all[1].id)
  end
  redis.call('HSET', names.survey, survey.id, survey.at .. ' ' .. integer(survey.ended) .. ' ' .. survey.open)
end

-- emit_survey(state, id, open): appends the entry that the state stands for. Returns the entry.
local function emit_survey(state, id, open)
  return append(emits[state], id, 'open=' .. open)
end

-- pass_on(id, open): emits a survey to those that follow this log, behind all that was appended here of the sagas before it.
-- One that came already is emitted again by a Redis that came back older: of what was begun since it first came it knows nothing.
local function pass_on(id, open)
  local at = emit_survey('surveyed', id, open)
  local before = redis.call('HGET', names.survey, id)
  remember_survey({ id = id, at = before and string.match(before, '^%S+') or at, ended = 0, open = open })
end

-- end_survey(id): a survey has come back. That it has ended is emitted, if a peer is to know. False if it is unknown.
local function end_survey(id)
  for _, survey in ipairs(surveys()) do
    if survey.id == id then
      survey.ended = now_ms()
      remember_survey(survey)
      if emits['survey-ended'] then
        emit_survey('survey-ended', id, survey.open)
      end
      return true
    end
  end
  return false
end
