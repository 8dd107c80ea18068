--- @include "last-number"
--- @include "series"
--- @include "single"
-- confirm-series: asked before anything is issued after each new connection to this Redis, for it may have come back older. Where
-- numbers were told that it does not know, or it has lost anything at all, the next series begins, behind all that is known of; and so
-- it does behind a series of an older version, to which none can be added.
-- Only what a person wishes is an entry of the log: nobody else has it done.
-- ARGS     invoice, credit_note (the last numbers that are known to have been told, or ''), lost (why it is known to be older, or '')
-- RETURNS  confirmed, series | raised, series | renewed, series

-- told_in(kind, number): the series and the number that were told, or nil.
local function told_in(kind, number)
  local told, last = string.match(number, '^' .. KINDS[kind].letter .. '(%d+)%-(%d+)$')
  return tonumber(told), tonumber(last)
end

commands['confirm-series'] = function(args)
  local now = redis.call('HGET', names.series, 'now')
  local last, why = tonumber(now or '1'), args.lost
  for kind, number in pairs({ invoices = args.invoice, credit_notes = args.credit_note }) do
    local told, place = told_in(kind, number)
    if told and (told > last or (told == last and place > last_number(names[kind] .. integer(told)))) then
      last, why = told, why == '' and 'told' or why
    end
  end
  local is_renewed = why == '' and now and (has_older_form(names.invoices .. now) or has_older_form(names.credit_notes .. now))
  if why == '' and not is_renewed then
    return { 'confirmed', now or '1' }
  end
  if not now then
    begin_documents('1')
  end
  local ended = { integer(now_ms()), is_renewed and 'upgraded' or why, args.invoice, args.credit_note }
  redis.call('HSET', names.series, now or '1', table.concat(ended, ','), 'now', integer(last + 1))
  if args.lost == 'operator' then
    emit_single('SeriesStarted', 'series-' .. integer(last + 1), { 'series', integer(last + 1) })
  end
  lasting()
  return { is_renewed and 'renewed' or 'raised', integer(last + 1) }
end
