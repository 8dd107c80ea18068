--- @include "single"
-- give-identifier: gives an identifier under an Idempotency-Key, so that it must be written down.
-- FACTS    log_id
-- RETURNS  given, log_id
commands['give-identifier'] = function(facts)
  record('IdentifierGiven', facts.log_id, { 'identifier', facts.log_id })
  return { 'given', facts.log_id }
end
