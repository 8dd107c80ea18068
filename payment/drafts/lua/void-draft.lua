--- @include "drafts"
-- void-draft: an order is cancelled, has expired, or is not known any more, so that nothing is to be invoiced. One that was invoiced, and
-- credited, has no draft any more: what was drafted when the order was read of again (this Redis came back older) is dropped.
-- ARGS     log_id, order, note (over what was captured for it and given back)
-- RETURNS  draft-voided | dropped | nothing
commands['void-draft'] = function(args)
  local draft = draft_of(args.order)
  if draft and args.note then
    end_draft(args.order)
    return { 'dropped' }
  end
  if not draft or draft.state == 'void' then
    return { 'nothing' }
  end
  draft.state = 'void'
  write_draft(args.order, draft)
  emit_draft('draft-voided', args.log_id, args.order, draft)
  return { 'draft-voided' }
end
