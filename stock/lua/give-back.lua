--- @include "shelf"
--- @include "ledger"
-- give-back: money that was refused, voided or released takes the goods of its checkout back with it, if they were taken; but for what
-- refunds have brought back before.
-- A refusal and a void find none, unless a Redis came back older: payment may have lost that it had held the money and has
-- spent it since, stock that it had refused. There is nothing to remember for goods that were not taken: the money comes
-- first, so after this nothing asks for them. Where there is no room for them nothing is done: the entry is a dead letter until
-- some of what is there was subtracted.
-- ARGS     log_id
-- RETURNS  returned | nothing
commands['give-back'] = function(args)
  local id = args.log_id
  local saga = load_saga(id)
  if not saga or saga.state ~= 'taken' then
    return { 'nothing' }
  end
  local shelved = without(saga.lines, saga.before or '')
  put_back(shelved)
  post_back(saga.lines, shelved)
  emit_saga(id, saga, 'returned')
  return { 'returned' }
end
