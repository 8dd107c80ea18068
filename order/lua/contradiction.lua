--- @include "documents"
--- @include "saga"
-- is_undone(by): whether by this contradiction payment has given the money back, or never took it: then stock has applied it,
-- too. By the other one, payment and stock are of one mind with order, and only the client that was answered so is not.
local function is_undone(by)
  return string.sub(by, 1, 5) ~= 'told-'
end

-- contradict(id, saga, by, note, refunded): a Redis has lost what was decided, and nothing can make both true: payment refuses or undid what
-- was paid (`by` says why), or a client was answered another end (`told-` and what). The checkout stays as it is
-- and its order is listed by name, once, until a person has resolved it; so long its record is kept. The credit note, if
-- payment has issued one, belongs to the order; what was `refunded` before is not in it.
local function contradict(id, saga, by, note, refunded)
  local key = names.saga .. id
  local before = redis.call('HGET', key, 'contradicted')
  if before and (is_undone(before) or not is_undone(by)) then
    return { 'repeated' }
  end
  redis.call('SADD', names.contradictions, saga.order)
  saga.by = by
  credit_order(id, saga, note, refunded)
  emit(id, saga, 'contradicted')
  store_saga(id, saga)
  redis.call('HSET', key, 'contradicted', by, 'back_before', refunded or '0')
  redis.call('HDEL', key, 'resolved')
  return { 'contradicted', id, by, saga.order }
end
