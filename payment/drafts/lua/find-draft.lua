--- @include "drafts"
-- find-draft: the draft of an order.
-- ARGS     order
-- RETURNS  the draft, what it says: name, value, ...; empty if there is none
-- WRITES   nothing
commands['find-draft'] = function(args)
  local said = {}
  for name, value in pairs(draft_of(args.order) or {}) do
    said[#said + 1] = name
    said[#said + 1] = value
  end
  return said
end
