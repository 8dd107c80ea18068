--- @include "single"
--- @include "books"
--- @include "wallet"
-- pay: spends money of a wallet outside any checkout. What is only held may still come free: 'held' is no refusal.
-- FACTS    log_id, user, amount
-- RETURNS  paid | out-of-credit | unknown, or in passing: held
function commands.pay(facts)
  local credit, held = wallet(facts.user)
  local amount = tonumber(facts.amount)
  if not credit then
    return { 'unknown' }
  end
  if credit < amount then
    return { 'out-of-credit' }
  end
  if credit - held < amount then
    return { 'held' }, true
  end
  record('CreditSpent', facts.log_id, { 'user', facts.user, 'amount', facts.amount })
  redis.call('HINCRBY', names.user .. facts.user, 'credit', minus(facts.amount))
  book('added', minus(facts.amount))
  return { 'paid' }
end
