--- @include "survey"
-- end-survey: a survey has come back from the peer that it was passed on to.
-- FACTS    log_id
-- RETURNS  ended | unknown
commands['end-survey'] = function(facts)
  if end_survey(facts.log_id) then
    return { 'ended' }
  end
  return { 'unknown' }
end
