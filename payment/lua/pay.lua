--- @include "single"
--- @include "ledger"
--- @include "wallet"
-- pay: spends money of a wallet outside any checkout. What is only held may still come free: 'held' is no refusal.
-- ARGS     log_id, user, amount
-- RETURNS  paid | out-of-credit | unknown, or in passing: held
function commands.pay(args)
  local credit, held = wallet(args.user)
  local amount = tonumber(args.amount)
  if not credit then
    return { 'unknown' }
  end
  if credit < amount then
    return { 'out-of-credit' }
  end
  if credit - held < amount then
    return { 'held' }, true
  end
  emit_single('CreditSpent', args.log_id, { 'user', args.user, 'amount', args.amount })
  redis.call('HINCRBY', names.user .. args.user, 'credit', minus(args.amount))
  post('added', minus(args.amount))
  return { 'paid' }
end
