/**
 * What may be sent twice?
 *
 * A request that was certainly not begun may always be sent again, whatever it is; that is not asked here. A request that
 * *may* have begun (its connection broke before a reply came) may be sent again only if doing it twice is the same as
 * doing it once:
 *
 * | request                          | because                                                            |
 * | -------------------------------- | ------------------------------------------------------------------ |
 * | GET, HEAD                        | it changes nothing                                                 |
 * | POST /orders/checkout/{order}    | an order is charged once, however often its checkout is asked for  |
 * | POST /orders/{order}/cancel      | an order is cancelled for good, however often that is asked for    |
 * | DELETE                           | what is deleted stays so; but a lock that is forced without a token may be another's by then |
 * | PUT, PATCH of a lease on a lock, an election or a job | its client names it, and the same again finds what became of it |
 * | any with an `Idempotency-Key`    | the service gives the same answer and one effect for the same key  |
 *
 * One that bears the token of a lock (`If-Lock-Token`) is repeated under a key only: somebody with a higher token may have come
 * in between, so that it would be refused although it was done. Everything else is not repeated: its client is told that the
 * outcome is unknown. It is judged by what goes on to the service, not by what came: a key that `Connection` names ends here, and
 * the service, which sees none, would do it twice.
 */

const CANCEL = /^\/orders\/[^/?]+\/cancel(?:\?|$)/
const CHECKOUT = /^\/orders\/checkout\/([^/?]+)(?:\?|$)/

/** By names that clients give: to do it twice is to do it once. */
const LEASE = /^\/(?:locks\/[^/?]+\/leases|elections\/[^/?]+\/candidates|jobs\/[^/?]+\/runs)\//
/** Whoever holds the lock by then loses it. */
const FORCE = /^\/locks\/[^/?]+(?:\?(?!(?:.*&)?token=)|$)/

/** Whether it changes nothing, whatever comes of it. A service answers HEAD as it does GET, and waits as long. */
export const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD'

/** Whether it asks for a checkout, which waits for other services. */
export const isCheckout = (method: string, path: string): boolean => method === 'POST' && CHECKOUT.test(path)

/** What may be held for long: events, and the end of a checkout; and what waits for a lock. */
const LONG =
  /^\/(?:orders\/checkout\/[^/?]+|(?:orders|locks|elections)\/[^/?]+\/events|(?:orders|payment|stock|ids)\/events)(?:\?|$)/
const WAITS = /^\/(?:locks\/[^/?]+\/leases|elections\/[^/?]+\/candidates)(?:[/?]|$)/

/** What a request takes of a replica's connections: a checkout for as long as it takes, others for long, or for a moment. */
export type Kind = 'checkout' | 'long' | 'short'

/** How long to wait for a lock is said in the body, so without one it is had at once or not at all. */
export const kindOf = (method: string, path: string, hasBody: boolean): Kind => {
  if (isCheckout(method, path)) return 'checkout'
  if (isRead(method)) return LONG.test(path) || WAITS.test(path) ? 'long' : 'short'
  return hasBody && (method === 'PUT' || method === 'POST') && WAITS.test(path) ? 'long' : 'short'
}

/** Why a request is sent once more: what waits for something is turned away, too, when the gateway stops. */
export type Resend = 'not-sent' | 'turned-away' | 'broken'

/** Whether a request that may have begun may be sent again. `path` is the request's target, with its query. */
export const isSafeToRepeat = (
  method: string,
  path: string,
  { hasKey, hasLockToken = false }: { readonly hasKey: boolean; readonly hasLockToken?: boolean },
): boolean =>
  isRead(method) ||
  hasKey ||
  (!hasLockToken &&
    ((method === 'DELETE' && !FORCE.test(path)) ||
      ((method === 'PUT' || method === 'PATCH') && LEASE.test(path)) ||
      isCheckout(method, path) ||
      (method === 'POST' && CANCEL.test(path))))

/** Where the client can learn what came of a request whose outcome is unknown. */
export const whereToAsk = (method: string, path: string): string | undefined => {
  const order = method === 'POST' ? CHECKOUT.exec(path)?.[1] : undefined
  return order === undefined ? undefined : `/orders/find/${order}`
}
