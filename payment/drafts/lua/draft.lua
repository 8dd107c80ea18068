--- @often
--- @include "drafts"
-- draft: shows what an order comes to, as of a version of it, until it is paid. What is known of that version, or a later one, is a
-- repetition.
-- ARGS     log_id, order, user, total, lines, order_version (not of one that was just placed: that is 1)
-- RETURNS  drafted | repeated
function commands.draft(args)
  local version = args.order_version or '1'
  local draft = {
    state = 'draft', version = version, at = integer(now_ms()), log_id = args.log_id, user = args.user, total = args.total,
    lines = args.lines,
  }
  -- As a rule there is none, which need not be asked first.
  if not write_draft(args.order, draft, 'HSETNX') then
    local known = draft_of(args.order)
    if known and tonumber(known.version) >= tonumber(version) then
      return { 'repeated' }
    end
    write_draft(args.order, draft)
  end
  emit_draft('drafted', args.log_id, args.order, draft)
  return { 'drafted' }
end
