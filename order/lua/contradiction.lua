--- @include "documents"
--- @include "saga"
-- TOLD_REFUNDED: by what an order is contradicted of which more was refunded than it shows.
local TOLD_REFUNDED = 'told-refunded'

-- TOLD_PAID: the same of one of which a client was told that it is paid.
local TOLD_PAID = 'told-paid'

-- CHECKOUTS_MAX: the most checkouts of one order that are looked at, the last ones.
local CHECKOUTS_MAX = 100

-- forgotten_of(order): those checkouts and amendments of an order of which this Redis knows no more than that a client was told that they
-- are paid, or that they were refunded: their log ids, and these as they are kept, separated by commas.
local function forgotten_of(order)
  local kept, ids = redis.call('HGET', names.forgotten, order), {}
  for id in string.gmatch(kept or '', '[^,]+') do
    ids[#ids + 1] = id
  end
  return ids, kept
end

-- sagas_of(order): the log ids of what of an order is forgotten, of its amendments, and of its checkouts, the last one first.
local function sagas_of(order)
  local ids = forgotten_of(order)
  local last, amended = unpack(redis.call('HMGET', names.order .. order, 'saga', 'amended'))
  for id in string.gmatch(amended or '', '[^,]+') do
    ids[#ids + 1] = id
  end
  for _ = 1, CHECKOUTS_MAX do
    if not last or last == '' then
      return ids
    end
    ids[#ids + 1] = last
    last = redis.call('HGET', names.saga .. last, 'previous')
  end
  return ids
end

-- contradicted_by(id): by what a saga is contradicted, if a person has still to end that.
local function contradicted_by(id)
  local by, resolved = unpack(redis.call('HMGET', names.saga .. id, 'contradicted', 'resolved'))
  return not resolved and by
end

-- is_forgotten(id, saga): whether no more is known of it here than that it was paid once, and no person has ended that.
local function is_forgotten(id, saga)
  for _, one in ipairs(saga.state == 'failed' and forgotten_of(saga.order) or {}) do
    if one == id then
      return contradicted_by(id)
    end
  end
  return false
end

-- has_contradicted(order): whether one of its sagas is contradicted.
local function has_contradicted(order)
  for _, id in ipairs(sagas_of(order)) do
    if contradicted_by(id) then
      return true
    end
  end
  return false
end

-- unlist_if_consistent(order): an order is listed as long as one of its sagas is contradicted, and so long what is forgotten is
-- found by it.
local function unlist_if_consistent(order)
  if has_contradicted(order) then
    return
  end
  redis.call('SREM', names.contradictions, order)
  redis.call('HDEL', names.forgotten, order)
end

-- resolve_contradiction(id, saga, by, why): a contradiction has ended.
local function resolve_contradiction(id, saga, by, why)
  saga.by, saga.why = by, why
  emit(id, saga, 'resolved')
  store_saga(id, saga)
  redis.call('HSET', names.saga .. id, 'resolved', by)
  unlist_if_consistent(saga.order)
end

-- is_undone(by): whether by this contradiction payment has given the money back, or never took it: then stock has applied it,
-- too. By the other one, payment and stock are of one mind with order, and only the client that was answered so is not.
local function is_undone(by)
  return string.sub(by, 1, 5) ~= 'told-'
end

-- remember_forgotten(order, id): a saga is found by its order from now on, whether or not that leads to it.
local function remember_forgotten(order, id)
  local _, kept = forgotten_of(order)
  redis.call('HSET', names.forgotten, order, kept and kept .. ',' .. id or id)
end

-- is_found(order, id): whether an order leads to a saga.
local function is_found(order, id)
  for _, one in ipairs(sagas_of(order)) do
    if one == id then
      return true
    end
  end
  return false
end

-- contradict(id, saga, by, note, refunded): a Redis has lost what was decided, and nothing can make both true: payment refuses or
-- undid what was paid (`by` says why), or a client was answered another end (`told-` and what). The checkout stays as it is and
-- its order is listed by name, once, until a person has resolved it; so long its record is kept. The credit note, if payment has
-- issued one, belongs to the order; what was `refunded` before is not in it.
local function contradict(id, saga, by, note, refunded)
  local key = names.saga .. id
  local before = redis.call('HGET', key, 'contradicted')
  if before and (is_undone(before) or not is_undone(by)) then
    return { 'repeated' }
  end
  redis.call('SADD', names.contradictions, saga.order)
  if not is_found(saga.order, id) then
    remember_forgotten(saga.order, id)
  end
  saga.by = by
  credit_order(id, saga, note, refunded)
  emit(id, saga, 'contradicted')
  saga.contradicted = by
  store_saga(id, saga)
  redis.call('HSET', key, 'back_before', refunded or '0')
  redis.call('HDEL', key, 'resolved')
  return { 'contradicted', id, by, saga.order }
end

-- contradict_forgotten(id, known, by): the same of what is not recorded here, but for its order, its user and its total. Stock
-- may know it still, and payment learn of it by that: then it is adopted; until then it has failed. It is found by its order,
-- which may be gone, or lead to others.
local function contradict_forgotten(id, known, by)
  remember_forgotten(known.order, id)
  local forgotten = {
    state = 'failed', order = known.order, user = known.user, total = known.total, lines = '', amends = known.amends, reason = 'deadline',
  }
  return contradict(id, forgotten, by)
end
