--- @include "order"
-- Payment drafts the invoice of an order that was placed whole, or changed, until it is paid. `billed` is the version of the
-- order whose lines payment is told; `draft` what payment has drafted last, as `version:total`. An order that was only filled
-- line by line has neither.

-- In which status an order may be paid yet.
local may_be_paid = { open = true, submitted = true, ['checking-out'] = true, cancelling = true }

-- drafted_version(draft): which version of its order a draft shows; 0 if there is none.
local function drafted_version(draft)
  return tonumber(string.match(draft or '', '^%d+') or '0')
end

-- forget_draft(order): payment has no draft any more of an order that may be paid yet: it has become an invoice, which was credited.
local function forget_draft(order)
  if may_be_paid[redis.call('HGET', names.order .. order, 'status')] then
    redis.call('HDEL', names.order .. order, 'draft')
  end
end

-- drop_void_draft(order): the draft of an order that was never paid, nor will be, was issued, and credited: there is none that is void.
local function drop_void_draft(order)
  local key = names.order .. order
  local status, invoices, draft, version = unpack(redis.call('HMGET', key, 'status', 'invoices', 'draft', 'version'))
  if over[status] and draft and not invoices then
    redis.call('HDEL', key, 'billed', 'draft')
    redis.call('HSET', key, 'version', later_version(version))
  end
end

-- request_draft(id, order, version): has payment draft the invoice of an order as it is now, which has this version; or the next one.
local function request_draft(id, order, version)
  local key = names.order .. order
  local user, total, lines, before = unpack(redis.call('HMGET', key, 'user', 'total', 'lines', 'version'))
  version = version or later_version(before)
  redis.call('HSET', key, 'version', version, 'billed', version)
  append('DraftRequested', id, 'order=' .. order .. ' user=' .. user .. ' total=' .. total .. ' lines=' .. lines
    .. ' order_version=' .. version)
end

-- request_missing_draft(saga, order): the same of an order that is open again after a checkout, if payment is to have a draft of it, and
-- has none, or a wrong one. It has a log id of its own, for the record of a saga ends with the last entry of that.
local function request_missing_draft(saga, order)
  local status, billed, draft = unpack(redis.call('HMGET', names.order .. order, 'status', 'billed', 'draft'))
  if status == 'open' and billed and drafted_version(draft) < tonumber(billed) then
    request_draft(saga .. '-draft', order)
  end
end

-- replace_draft(id, order, status): has an order drafted anew, of which payment has a wrong draft; once it is open again, if a checkout is
-- under way: payment might read of this after it has issued the invoice. Returns what to return.
local function replace_draft(id, order, status)
  if status == 'open' then
    request_draft(id, order)
    return { 'requested' }
  end
  forget_draft(order)
  redis.call('HSETNX', names.order .. order, 'billed', '1')
  return { 'deferred' }
end
