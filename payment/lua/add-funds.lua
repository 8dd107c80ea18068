--- @include "single"
--- @include "books"
--- @include "wallet"
-- add-funds: puts money into a wallet.
-- FACTS    log_id, user, amount
-- RETURNS  added | unknown | too-much
commands['add-funds'] = function(facts)
  local credit = wallet(facts.user)
  if not credit then
    return { 'unknown' }
  end
  if credit + tonumber(facts.amount) > limits.amount_max then
    return { 'too-much' }
  end
  record('FundsAdded', facts.log_id, { 'user', facts.user, 'amount', facts.amount })
  redis.call('HINCRBY', names.user .. facts.user, 'credit', facts.amount)
  book('added', facts.amount)
  serve(facts.user)
  return { 'added' }
end
