/**
 * Of what kind is a request to its limits, and how much does it create?
 *
 * A *read* costs a service one look. A *command* is written down, for good. A *checkout* is written down by three services, and holds a
 * place until it has ended. What is created stays: an order, a user, an item, an id that was given, and of a batch each of them.
 */

export type Kind = 'reads' | 'commands' | 'checkouts'

/** A checkout of an order, and what places one and has it checked out. */
const CHECKOUT = /^\/(?:orders\/checkout\/[^/?]+|api\/orders)(?:\?|$)/

/** Under a key it is written down whom an id was given. */
const IDENTIFIER = /^\/ids\/create(?:\?|$)/

export const kindOf = (method: string, path: string): Kind => {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return IDENTIFIER.test(path) ? 'commands' : 'reads'
  return method === 'POST' && CHECKOUT.test(path) ? 'checkouts' : 'commands'
}

const CREATES =
  /^\/(?:orders(?:\/create\/[^/?]+)?|api\/orders|payment\/create_user|stock\/item\/create\/[^/?]+|(?:orders|payment|stock)\/batch_init\/([^/?]+)(?:\/[^?]*)?)(?:\?|$)/

const ENCODED_DIGIT = /%3(\d)/g
/** How many things a batch is to make, as services read it: percent-decoded. What is no number they refuse. */
const countIn = (parameter: string): number =>
  Number(/^\d{1,16}$/.exec(parameter.replaceAll(ENCODED_DIGIT, '$1'))?.[0] ?? 1)

/** How many things a request creates, if it is granted. */
export const createdBy = (method: string, path: string): number => {
  if (method !== 'POST') return (method === 'GET' || method === 'HEAD') && IDENTIFIER.test(path) ? 1 : 0
  const found = CREATES.exec(path)
  return found === null ? 0 : countIn(found[1] ?? '1')
}
