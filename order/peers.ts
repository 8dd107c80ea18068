/** What is a peer asked before a command runs? */
import { payment, stock, THINGS_MAX } from '../shared/contract/queries.ts'
import { PeerError } from '../shared/errors.ts'
import type { Peer } from '../shared/http/client.ts'
import type { Problem } from '../shared/http/problem.ts'
import type { Request } from '../shared/http/request.ts'
import { together } from '../shared/http/together.ts'
import type { Command, ResultOnce } from '../shared/redis/command.ts'
import type { Once } from '../shared/redis/script.ts'
import { itemWithdrawn, noSuchItem, noSuchUser } from './problems.ts'
import type { Customer } from './store/cart.ts'
import type { Store } from './store.ts'

type Find<Found> = (id: string, request: Pick<Request, 'requestId' | 'trace'>) => Promise<Found | undefined>

export type Peers = {
  readonly payment: Peer
  readonly stock: Peer
  /** Asks for one, in one request with what others ask for. `undefined`: there is none. @throws PeerError */
  readonly findUser: Find<{ readonly credit: number }>
  readonly findItem: Find<{ readonly price: number; readonly withdrawn: boolean }>
}

const refusedBy = (name: string, problem: Problem): PeerError =>
  new PeerError(`${name} does not answer`, { cause: new Error(`it answered ${problem.status}: ${problem.detail}`) })

export const openPeers = (atPayment: Peer, atStock: Peer): Peers => ({
  payment: atPayment,
  stock: atStock,
  findUser: together(async (ids, of) => {
    const answer = await atPayment.ask(payment.findUsers, { query: { ids: ids.join(',') }, ...of })
    if ('problem' in answer) throw refusedBy('payment', answer.problem)
    return new Map(answer.json.users.map((user) => [user.user_id, user]))
  }, THINGS_MAX),
  findItem: together(async (ids, of) => {
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
export const onceFound = async <Found, Kind extends string, One extends Command>(
  store: Store,
  request: Once,
  { returns }: One,
  find: () => Promise<Asked<Found, Kind>>,
  run: (found: Found) => Promise<ResultOnce<One>>,
): Promise<ResultOnce<One> | { readonly problem: Problem<Kind> }> => {
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

/** Is there such a user? Payment is asked for one of whom that is not known here. @throws PeerError; UnavailableError by the own Redis */
export const askUser = async (
  { isCustomer }: Pick<Store, 'isCustomer'>,
  { findUser }: Peers,
  user: string,
  request: Pick<Request, 'requestId' | 'trace'>,
): Promise<Asked<Customer, 'no-such-user'>> => {
  if (await isCustomer(user)) return { found: {} }
  return (await findUser(user, request)) ? { found: { customer: 'new' } } : { problem: noSuchUser(user) }
}

/** Asks stock on what terms an item is sold. @throws PeerError */
export const askOffer = async (
  { findItem }: Peers,
  item: string,
  request: Pick<Request, 'requestId' | 'trace'>,
): Promise<Asked<{ readonly price: number }, 'no-such-item' | 'item-withdrawn'>> => {
  const found = await findItem(item, request)
  if (found === undefined) return { problem: noSuchItem(item) }
  return found.withdrawn ? { problem: itemWithdrawn(item) } : { found }
}
