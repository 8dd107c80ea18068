--- @include "log"
-- Where a document stands: its series and its number in it, as `{series}-{number}`.

-- place_of(text): these two, as they are compared.
local function place_of(text)
  local series, number = string.match(text, '^(%d+)%-(%d+)$')
  return tonumber(series), tonumber(number)
end

-- comes_after(place, series, number): whether a document was issued after the one there.
local function comes_after(place, series, number)
  local its_series, its_number = place_of(place)
  return its_series > series or (its_series == series and its_number > number)
end

-- said_by(fields): what a document says, names and values in turn. One of an older version has them so.
local function said_by(fields)
  if #fields > 2 then
    return fields
  end
  local said = {}
  for name, value in string.gmatch(fields[2], '([^ =]+)=([^ ]*)') do
    said[#said + 1] = name
    said[#said + 1] = value
  end
  return said
end

-- numbered(stream): how the entries of a series are numbered: what stands before the number, and behind it.
local function numbered(stream)
  local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  if first and string.sub(first[1], 1, 2) ~= '0-' then
    return '', '-0'
  end
  return '0-', ''
end

-- document_at(kind, place): what it says, or nil.
local function document_at(kind, place)
  local series, number = string.match(place, '^(%d+)%-(%d+)$')
  local before, behind = numbered(names[kind] .. series)
  local id = before .. number .. behind
  local found = redis.call('XRANGE', names[kind] .. series, id, id)[1]
  return found and said_by(found[2])
end

-- documents_after(kind, after, count): up to so many documents of a kind that were issued after the one at a place, the oldest
-- first, each as its place and its fields.
local function documents_after(kind, after, count)
  local found = {}
  local first, number = place_of(after)
  for series = math.max(first, 1), tonumber(redis.call('HGET', names.series, 'now') or '0') do
    if #found == count then
      break
    end
    local name = integer(series)
    local before, behind = numbered(names[kind] .. name)
    local from = series == first and '(' .. before .. integer(number) .. behind or '-'
    for _, entry in ipairs(redis.call('XRANGE', names[kind] .. name, from, '+', 'COUNT', count - #found)) do
      local place = string.sub(entry[1], #before + 1, -#behind - 1)
      found[#found + 1] = { name .. '-' .. place, entry[2] }
    end
  end
  return found
end

-- bucket(kind, order): the hash that has the places of an order's documents, separated by blanks, beside those of others: so
-- that it is small enough for Redis to keep it in one piece. Ids of orders end in what is spread evenly.
local function bucket(kind, order)
  return names[kind .. '_for'] .. string.sub(order, -3)
end

-- checkout_of(invoice): the log id of the checkout for which it was issued, or nil.
local function checkout_of(invoice)
  local place = string.match(invoice, '^I(%d+%-%d+)$')
  local said = place and document_at('invoices', place) or {}
  for at = 1, #said, 2 do
    if said[at] == 'log_id' then
      return said[at + 1]
    end
  end
  return nil
end
