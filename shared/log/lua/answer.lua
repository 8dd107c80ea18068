--- @include "log"
-- answer: does nothing but answer a request under its key: with a result that is remembered, or one that is returned in passing.
-- ARGS     result, passing (yes or no)
-- RETURNS  the result
-- WRITES   the answer under the request's key
function commands.answer(args)
  if args.passing ~= 'yes' then
    lasting()
  end
  return { args.result }, args.passing == 'yes'
end
