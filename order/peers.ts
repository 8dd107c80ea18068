/** What is a peer asked before a command runs? */
import { payment, stock, THINGS_MAX } from '../shared/contract/queries.ts'
import { impossible, PeerError } from '../shared/errors.ts'
import type { Peer } from '../shared/http/client.ts'
import type { Problem } from '../shared/http/problem.ts'
import type { Request } from '../shared/http/request.ts'
import { type Find, together } from '../shared/http/together.ts'
import type { Command, Remembered } from '../shared/redis/command.ts'
import type { Once } from '../shared/redis/script.ts'
import { itemWithdrawn, noSuchItem, noSuchUser } from './problems.ts'
import type { Customer } from './store/cart.ts'
import type { Store } from './store.ts'

type Item = { readonly price: number; readonly withdrawn: boolean }

export type Peers = {
  readonly payment: Peer
  readonly stock: Peer
  /** Each asks in one request with what others ask for. @throws PeerError */
  readonly findUsers: Find<{ readonly credit: number }>
  readonly findItems: Find<Item>
}

const refusedBy = (name: string, problem: Problem): PeerError =>
  new PeerError(`${name} does not answer`, { cause: new Error(`it answered ${problem.status}: ${problem.detail}`) })

export const openPeers = (atPayment: Peer, atStock: Peer): Peers => ({
  payment: atPayment,
  stock: atStock,
  findUsers: together(async (ids, of) => {
    const answer = await atPayment.ask(payment.findUsers, { query: { ids: ids.join(',') }, ...of })
    if ('problem' in answer) throw refusedBy('payment', answer.problem)
    return new Map(answer.json.users.map((user) => [user.user_id, user]))
  }, THINGS_MAX),
  findItems: together(async (ids, of) => {
    const answer = await atStock.ask(stock.showItems, { query: { ids: ids.join(',') }, ...of })
    if ('problem' in answer) throw refusedBy('stock', answer.problem)
    return new Map(answer.json.items.map((item) => [item.item_id, item]))
  }, THINGS_MAX),
})

/** What peers answered: what the command needs, or what speaks against the request. */
export type Asked<Found, Kind extends string> = { readonly found: Found } | { readonly problem: Problem<Kind> }

/**
 * Has a request done that a peer must be asked for first. What was done under its key is answered without asking, and what
 * was done meanwhile, by another replica, is answered instead of an objection.
 * @param command what is to be run
 * @param find what is asked
 */
export const onceFound = async <Found, Kind extends string, One extends Command, Done>(
  store: Store,
  request: Once,
  { returns }: One,
  find: () => Promise<Asked<Found, Kind>>,
  run: (found: Found) => Promise<Done>,
): Promise<Done | Remembered<One['returns']> | { readonly problem: Problem<Kind> }> => {
  const known = await store.recall(returns, request)
  if (known) return known
  try {
    const asked = await find()
    return 'found' in asked ? await run(asked.found) : ((await store.refuse(returns, request)) ?? asked)
  } catch (error) {
    const done = error instanceof PeerError ? await store.refuse(returns, request) : undefined
    if (done) return done
    throw error
  }
}

type Stranger = readonly ['stranger']
const isStranger = (made: readonly [result: string, ...unknown[]]): made is Stranger => made[0] === 'stranger'

/**
 * Has an order made for a user, of whom payment is asked only if it is not known here that it has them.
 * @throws PeerError; UnavailableError by the own Redis
 */
export const forCustomer = async <One extends Command, Done extends readonly [result: string, ...unknown[]]>(
  store: Store,
  { findUsers }: Peers,
  command: One,
  user: string,
  request: Once & Pick<Request, 'requestId' | 'trace'>,
  make: (customer: Customer) => Promise<Done | Stranger>,
): Promise<Done | Remembered<One['returns']> | { readonly problem: Problem<'no-such-user'> }> => {
  const made = await make({ customer: 'known' })
  if (!isStranger(made)) return made
  const ask = async (): Promise<Asked<Customer, 'no-such-user'>> =>
    (await findUsers([user], request)).has(user) ? { found: { customer: 'new' } } : { problem: noSuchUser(user) }
  return onceFound(store, request, command, ask, async (customer) => {
    const asked = await make(customer)
    return isStranger(asked) ? impossible('order.stranger', asked) : asked
  })
}

/** On what terms an item is sold, by what stock was asked for. */
export const offerIn = (
  items: ReadonlyMap<string, Item>,
  item: string,
): Asked<{ readonly price: number }, 'no-such-item' | 'item-withdrawn'> => {
  const found = items.get(item)
  if (found === undefined) return { problem: noSuchItem(item) }
  return found.withdrawn ? { problem: itemWithdrawn(item) } : { found }
}
