--- @include "last-number"
--- @include "series"
-- check-series: which series there were, and how many documents of each: as many as its last number says, if none is missing.
-- ARGS     first (the first that is wanted)
-- RETURNS  the series, each as its number, how many invoices it has and the last number of them, the same of credit notes, and how it
--          has ended ('' if it has not)
-- WRITES   nothing
commands['check-series'] = function(args)
  local found = {}
  for number = tonumber(args.first), tonumber(redis.call('HGET', names.series, 'now') or '0') do
    local one = { integer(number) }
    for _, kind in ipairs({ 'invoices', 'credit_notes' }) do
      local stream = names[kind] .. integer(number)
      one[#one + 1] = integer(redis.call('XLEN', stream))
      one[#one + 1] = integer(last_number(stream))
    end
    one[#one + 1] = redis.call('HGET', names.series, integer(number)) or ''
    found[#found + 1] = one
  end
  return found
end
