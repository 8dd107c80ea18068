--- @include "ledger"
--- @include "log"
-- A document is an entry of a *series*: a stream whose entries Redis itself numbers 0-1, 0-2, 0-3 and so on. It gives each number
-- once; and while the length of a series is its last number, none is missing. Nothing is ever taken out of it. The next
-- series begins only where this Redis may have lost numbers that were told: see confirm-series.lua. `names.series` has which one
-- it is `now`, and for each that has ended, when, and up to which numbers it is known to have been told.
-- What a document says is one text, as that of an entry of a log. In a series of an older version each name and value is a field,
-- and the entries are numbered 1-0, 2-0, 3-0: there Redis cannot number the next one, so that such a series has ended.
local KINDS = {
  invoices = { letter = 'I', account = 'invoiced' },
  credit_notes = { letter = 'C', account = 'credited' },
}

-- begin_documents(number): the first series that this Redis knows of. What was charged by then has no invoice: a version without
-- documents has captured it.
local function begin_documents(number)
  local charged = redis.call('HMGET', names.ledger, 'charged', 'charged:high')
  redis.call('HSET', names.ledger, 'undocumented', charged[1] or '0', 'undocumented:high', charged[2] or '0')
  redis.call('HSET', names.series, 'now', number)
end

-- series_now(): the series in which documents are issued.
local series
local function series_now()
  series = series or redis.call('HGET', names.series, 'now')
  if not series then
    series = '1'
    begin_documents(series)
  end
  return series
end

-- moves_money(saga): whether there is a document over what is captured or paid back: not over nothing, where an order was amended.
local function moves_money(saga)
  return not saga.amends or saga.total ~= '0'
end

-- issue(kind, id, about): issues the next document of a kind, over what is said about the money: `order`, `user`, `total`,
-- `lines`, and the `invoice` that a credit note takes back, or several, separated by commas. Returns the number as people are told it.
local at
local function issue(kind, id, about)
  at = at or integer(now_ms())
  local credits = about.invoice and ' credits=' .. about.invoice or ''
  local place = redis.call('XADD', names[kind] .. series_now(), '0-*', 'document', 'at=' .. at .. ' log_id=' .. id
    .. ' order=' .. about.order .. ' user=' .. about.user .. ' total=' .. about.total .. ' lines=' .. (about.lines or '') .. credits)
  post(KINDS[kind].account, about.total)
  return KINDS[kind].letter .. series .. string.sub(place, 2)
end
