--- @include "survey"
-- pass-survey: says a survey to those who hear this service, and waits until it comes back.
-- ARGS     log_id, open
-- RETURNS  surveyed
commands['pass-survey'] = function(args)
  pass_on(args.log_id, args.open)
  return { 'surveyed' }
end
