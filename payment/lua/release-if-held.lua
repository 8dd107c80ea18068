--- @include "wallet"
--- @include "release"
-- release-if-held: goods that were put back take the money of their checkout with them, if it is held, captured or
-- awaited still. Both follow from one cancellation; this one counts when order has lost it before payment applied it.
-- ARGS     log_id
-- RETURNS  released | nothing
commands['release-if-held'] = function(args)
  local saga = load_saga(args.log_id)
  if not saga or saga.state == 'refused' or saga.state == 'voided' or saga.state == 'released' then
    return { 'nothing' }
  end
  return commands.release(args)
end
