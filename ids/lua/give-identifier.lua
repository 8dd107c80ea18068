--- @include "single"
-- give-identifier: gives an identifier under an Idempotency-Key, so that it must be written down.
-- ARGS     log_id
-- RETURNS  given, log_id
commands['give-identifier'] = function(args)
  emit_single('IdentifierGiven', args.log_id, { 'identifier', args.log_id })
  return { 'given', args.log_id }
end
