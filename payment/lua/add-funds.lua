--- @include "single"
--- @include "ledger"
--- @include "wallet"
-- add-funds: puts money into a wallet.
-- ARGS     log_id, user, amount
-- RETURNS  added | unknown | too-much
commands['add-funds'] = function(args)
  local credit = wallet(args.user)
  if not credit then
    return { 'unknown' }
  end
  if credit + tonumber(args.amount) > limits.amount_max then
    return { 'too-much' }
  end
  emit_single('FundsAdded', args.log_id, { 'user', args.user, 'amount', args.amount })
  redis.call('HINCRBY', names.user .. args.user, 'credit', args.amount)
  post('added', args.amount)
  serve(args.user)
  return { 'added' }
end
