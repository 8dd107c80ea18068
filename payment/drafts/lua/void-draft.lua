--- @include "drafts"
-- void-draft: an order is cancelled, has expired, or is not known any more, so that nothing is to be invoiced.
-- ARGS     log_id, order
-- RETURNS  draft-voided | nothing
commands['void-draft'] = function(args)
  local draft = draft_of(args.order)
  if not draft or draft.state == 'void' then
    return { 'nothing' }
  end
  draft.state = 'void'
  write_draft(args.order, draft)
  emit_draft('draft-voided', args.log_id, args.order, draft)
  return { 'draft-voided' }
end
