--- @include "log"
-- answer: does nothing but answer a request under its key: with a word that is remembered, or one that is returned in passing.
-- ARGS     word, passing (yes or no)
-- RETURNS  the word
-- WRITES   the answer under the request's key
function commands.answer(args)
  if args.passing ~= 'yes' then
    lasting()
  end
  return { args.word }, args.passing == 'yes'
end
