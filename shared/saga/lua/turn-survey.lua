--- @include "survey"
-- turn-survey: a survey that goes no further, because who hears this service has passed it on: it has ended here, and is
-- said back.
-- FACTS    log_id, open
-- RETURNS  turned
commands['turn-survey'] = function(facts)
  pass_on(facts.log_id, facts.open)
  end_survey(facts.log_id)
  return { 'turned' }
end
