--- @include "survey"
-- pass-survey: emits a survey to those that follow this log, and waits until it comes back.
-- ARGS     log_id, open
-- RETURNS  surveyed
commands['pass-survey'] = function(args)
  pass_on(args.log_id, args.open)
  return { 'surveyed' }
end
