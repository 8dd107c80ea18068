--- @include "drafts"
--- @include "void-draft"
-- cancel-draft: an order is cancelled, so that nothing is to be invoiced. One that was invoiced, and credited, has no draft any more: what
-- was drafted when the order was read of again (this Redis came back older) is dropped.
-- ARGS     log_id, order, note (over what was captured for it and given back)
-- RETURNS  draft-voided | dropped | nothing
commands['cancel-draft'] = function(args)
  if args.note and draft_of(args.order) then
    end_draft(args.order)
    return { 'dropped' }
  end
  return commands['void-draft'](args)
end
