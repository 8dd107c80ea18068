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
 * | any with an `Idempotency-Key`    | the service gives the same answer and one effect for the same key  |
 *
 * Everything else is not repeated: its client is told that the outcome is unknown.
 */

const CHECKOUT = /^\/orders\/checkout\/[^/?]+/

/** Whether it asks for a checkout, which waits for other services. */
export const isCheckout = (method: string, path: string): boolean => method === 'POST' && CHECKOUT.test(path)

/** Whether a request that may have begun may be sent again. `path` is the request's target, with its query. */
export const isSafeToRepeat = (method: string, path: string, hasIdempotencyKey: boolean): boolean =>
  method === 'GET' || method === 'HEAD' || hasIdempotencyKey || isCheckout(method, path)
