--- @include "issued"
--- @include "single"
-- A draft is what an invoice is to say while its order is open: it has no number. `names.drafts` has one for each order that was placed
-- whole, or changed, and is not paid: `{state} {version} {at} {log id} {user} {total} {lines}`. It is a *draft*, or *void* once its order
-- will never be paid; `version` is that of the order whose lines it shows. The capture that issues the invoice ends it.

-- draft_of(order): its draft, or nil.
local function draft_of(order)
  local text = not issued[order] and redis.call('HGET', names.drafts, order)
  if not text then
    return nil
  end
  local state, version, at, log_id, user, total, lines = string.match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S*)$')
  return { state = state, version = version, at = at, log_id = log_id, user = user, total = total, lines = lines }
end

-- write_draft(order, draft, how): writes it; with `HSETNX` only if there is none. Returns whether it did.
local function write_draft(order, draft, how)
  local text = draft.state .. ' ' .. draft.version .. ' ' .. draft.at .. ' ' .. draft.log_id .. ' ' .. draft.user .. ' ' .. draft.total
    .. ' ' .. (draft.lines or '')
  local is_written = redis.call(how or 'HSET', names.drafts, order, text) == 1
  if is_written or not how then
    issued[order] = nil
  end
  return is_written
end

-- emit_draft(state, log_id, order, draft): says what became of it.
local function emit_draft(state, log_id, order, draft)
  emit_said(emits[state], log_id,
    'order=' .. order .. ' user=' .. draft.user .. ' total=' .. draft.total .. ' order_version=' .. draft.version)
end
