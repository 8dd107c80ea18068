--- @include "survey"
-- pass-survey: says a survey to those who hear this service, and waits until it comes back.
-- FACTS    log_id, open
-- RETURNS  surveyed
commands['pass-survey'] = function(facts)
  pass_on(facts.log_id, facts.open)
  return { 'surveyed' }
end
