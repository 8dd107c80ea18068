--- @include "survey"
-- end-survey: a survey has come back from the peer that it was passed on to.
-- ARGS     log_id
-- RETURNS  ended | unknown
commands['end-survey'] = function(args)
  if end_survey(args.log_id) then
    return { 'ended' }
  end
  return { 'unknown' }
end
