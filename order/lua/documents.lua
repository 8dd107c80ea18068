--- @include "order"
--- @include "saga"
-- Payment issues an invoice for what it captures, and a credit note for what it gives back. An order has the numbers of those that
-- are about what it was paid by: `invoices` and `notes`, as `number:total,number:total`; and in `replaced` the numbers of invoices
-- that payment has lost and issued anew. Each number that becomes known so stands in an entry that is appended in the same step:
-- by this payment knows what was told, should it come back older.

-- with_document(list, number, total): a list of documents with one more.
local function with_document(list, number, total)
  local document = number .. ':' .. total
  return (list or '') ~= '' and list .. ',' .. document or document
end

-- write_documents(order, version, ...): writes lists of documents, by their names, and that the order has changed.
local function write_documents(order, version, ...)
  redis.call('HSET', names.order .. order, 'version', later_version(version), ...)
end

-- credit_order(id, saga, note, refunded): what was paid was given back, and the credit note says so; but for what was refunded before.
local function credit_order(id, saga, note, refunded)
  if not note or not saga.invoice or saga.note == note then
    return
  end
  saga.note = note
  local last, version, notes = unpack(redis.call('HMGET', names.order .. saga.order, 'saga', 'version', 'notes'))
  if last == id or saga.amends then
    write_documents(saga.order, version, 'notes',
      with_document(notes, note, integer(tonumber(saga.total) - tonumber(refunded or '0'))))
  end
end

-- without(list, number): a list of documents but for one.
local function without(list, number)
  local others = {}
  for document in string.gmatch(list or '', '[^,]+') do
    if not number or string.match(document, '^[^:]+') ~= number then
      others[#others + 1] = document
    end
  end
  return table.concat(others, ',')
end

-- credit_refund(order, note, total, before): some of an order was refunded, and the credit note says so: instead of the one before,
-- if payment has lost that.
local function credit_refund(order, note, total, before)
  local user, version, notes = unpack(redis.call('HMGET', names.order .. order, 'user', 'version', 'notes'))
  if note and user then
    write_documents(order, version, 'notes', with_document(without(notes, before), note, total))
  end
end

-- taken_back(invoices, charged, total): which invoices a refund of so much takes back, if so much is charged for all of them
-- before: what is left of the first one, then of the next, so that none is credited beyond what it says, whatever is invoiced in
-- between. Their numbers in this order, separated by commas; the last one if nothing goes back; nil if there are none.
local function taken_back(invoices, charged, total)
  local issued, taken = {}, {}
  for number, text in string.gmatch(invoices or '', '([^,:]+):(%d+)') do
    issued[#issued + 1] = { number = number, left = tonumber(text) }
  end
  for at = #issued, 1, -1 do
    issued[at].left = math.min(issued[at].left, charged)
    charged = charged - issued[at].left
  end
  for _, invoice in ipairs(issued) do
    if invoice.left > 0 and total > 0 then
      taken[#taken + 1] = invoice.number
      total = total - invoice.left
    end
  end
  return taken[1] and table.concat(taken, ',') or issued[1] and issued[#issued].number
end

-- with_anew(list, before, number, total): a list of documents with one in the place of the one before, or behind all if that is
-- not there: what is taken back of the first invoices goes by their order.
local function with_anew(list, before, number, total)
  local documents, is_there = {}, false
  for document in string.gmatch(list or '', '[^,]+') do
    local is_before = string.match(document, '^[^:]+') == before
    is_there = is_there or is_before
    documents[#documents + 1] = is_before and number .. ':' .. total or document
  end
  local anew = table.concat(documents, ',')
  return is_there and anew or with_document(anew, number, total)
end

-- renumber(id, saga, invoice): the same was captured again, for payment has lost the invoice that it had issued.
local function renumber(id, saga, invoice)
  local before = saga.invoice
  if saga.state ~= 'paid' or not invoice or before == invoice then
    return
  end
  local last, version, invoices, replaced = unpack(redis.call('HMGET', names.order .. saga.order, 'saga', 'version',
    'invoices', 'replaced'))
  saga.invoice = invoice
  emit_again(id, saga)
  if last == id or saga.amends then
    write_documents(saga.order, version, 'invoices', with_anew(invoices, before, invoice, saga.total),
      'replaced', before and with_document(replaced, before, saga.total) or replaced or '')
  end
end
