/**
 * Which keys has order?
 *
 * - `order:{id}` hash: `user`, `status`, `saga`, `total`, `lines`, `costs`, `number`, `version`, `at`, `updated`,
 *   `method`, `installments`: see `lua/order.lua`; `give_up`, `why`, `refund`: see
 *   `lua/cancelled.lua`; `returned` and `refunded` of one that was refunded; `undone` (yes) of one that
 *   counts as paid although its money is back, as a person has accepted; `fence`, the highest token of a lock that it has seen;
 *   `amendment`, `amendments`, `amended` and `amends` of one that was amended: see `amend/lua/amendment.lua`;
 *   `billed` and `draft`: see `drafts/lua/drafted.lua`
 * - `refunds:{order}` hash: its refunds, for as long as there is the order: see `refunds/lua/refunds.lua`
 * - `unshown:{order}` hash: those that it does not show, with what they amend; it has `unshown` (yes) then, if there is
 *   the order: see `refunds/lua/rebuild.lua`
 * - `orders-of:{user}` sorted set: the user's orders, by their numbers; `orders:number` is the last number that was given
 * - `known-at:payment` set: users whom payment has, as it was asked: see `lua/customers.lua`
 * - `saga:{log id}` hash: `state`, `order`, `user`, `total`, `lines`, `deadline`, `token`, `reason`, `item`, `restock`,
 *   `amends`, `back`, `costs` (of an amendment), `checkouts` (of a refund), `entries`, `again`, `previous` (the order's saga before),
 *   `contradicted` (by what), `back_before` (what was refunded before that, or before it was closed), `resolved` (how: `refund`, `accept`
 *   or `shown`), `credited` (the credit note that it had when its order was last drafted anew);
 *   most are packed: see `shared/saga/lua/saga.lua`
 * - `sagas:open` sorted set: log ids of checkouts and refunds not finished, by when their last entry was appended
 * - `sagas:deadlines` sorted set: log ids of checkouts not decided, by their deadlines
 * - `submitted` sorted set: log ids of checkouts that wait to be begun, by when they were submitted
 * - `contradictions` set: orders that were paid and whose payment or goods a peer has lost or undone, or whose customer
 *   was answered otherwise, until a person has resolved it
 * - `contradictions:forgotten` hash: the log ids, by such an order, of what was paid once, as a client was told, or a refund of
 *   it says, and of which nothing else is known
 * - `outcomes` channel: `{log id} {state} {reason} {item} {order} {user} {total} {entry}` of each checkout that is decided
 * - `cancellations` channel: each order that is cancelled
 * - `drafts` channel: `{order} {version}` of each draft that payment has made
 * - `orders:expiry` the cursor of the walk through all orders that looks for abandoned ones
 * - `settlements` channel: the log id of each refund that is settled
 * - `books` hash, of running sums: `paid` (money) and `sold` (pieces) of orders that were ever paid, less what was refunded, and of
 *   it `replaced-paid`, `replaced-sold`, what no order shows any more, and `accepted-paid`, `accepted-sold`, what no service has
 *   charged or taken; how they are kept is in `shared/audit/lua/ledger.lua`
 * - `webhooks` set: their ids; `webhook:{id}` hash: `url`, `events` (types), `secret`, and until `old_until` `old_secret`,
 *   `enabled`, `why` not, `cursor` (the last entry that is delivered, or does not concern it), `version`, `created`, `delivered`
 *   (when last); after a failure `failures`, `error`, `next` (when there may be an attempt), `wait` (how long that was from then)
 * - `deliveries:{id}` list: the last attempts for a webhook, in JSON; `webhook-lost:{id}` list: what was trimmed before it was delivered
 * - those that every log has: see `shared/log/log.ts`
 */
export const names = {
  order: 'order:',
  counted: 'order:',
  listed: 'orders-of:',
  numbers: 'orders:number',
  known_at: 'known-at:',
  submitted: 'submitted',
  contradictions: 'contradictions',
  forgotten: 'contradictions:forgotten',
  /** The field of a record that tells what is contradicted with it. */
  subject: 'order',
  /** The argument that names what keeps the tokens of locks. */
  fenced: 'order',
  /** Their field that tells whose they are. */
  owned_by: 'user',
  outcomes: 'outcomes',
  refunds: 'refunds:',
  unshown: 'unshown:',
  settlements: 'settlements',
  cancellations: 'cancellations',
  expiry: 'orders:expiry',
  drafts: 'drafts',
  webhooks: 'webhooks',
  webhook: 'webhook:',
  deliveries: 'deliveries:',
  webhook_lost: 'webhook-lost:',
}
