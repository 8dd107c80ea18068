--- @include "log"
--- @include "places"
-- find-document: the document of a kind at a place.
-- ARGS     kind, place
-- RETURNS  the document, what it says: name, value, ...; empty if there is none
-- WRITES   nothing
commands['find-document'] = function(args)
  return document_at(args.kind, args.place) or {}
end
