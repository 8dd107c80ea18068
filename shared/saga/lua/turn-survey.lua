--- @include "survey"
-- turn-survey: a survey that goes no further, because the one that follows this log has passed it on: it has
-- ended here, and is emitted back.
-- ARGS     log_id, open
-- RETURNS  turned
commands['turn-survey'] = function(args)
  pass_on(args.log_id, args.open)
  end_survey(args.log_id)
  return { 'turned' }
end
