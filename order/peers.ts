/** What is a peer asked before a command runs? */
import { payment, stock } from '../shared/contract/queries.ts'
import { PeerError } from '../shared/errors.ts'
import type { Peer } from '../shared/http/client.ts'
import type { Problem } from '../shared/http/problem.ts'
import type { Request } from '../shared/http/request.ts'
import type { Command, ResultOnce } from '../shared/redis/command.ts'
import type { Once } from '../shared/redis/script.ts'
import { itemWithdrawn, noSuchItem, noSuchUser } from './problems.ts'
import type { Store } from './store.ts'

export type Peers = { readonly payment: Peer; readonly stock: Peer }

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

/** Asks payment for a user. @throws PeerError */
export const askUser = async (
  { payment: peer }: Peers,
  user: string,
  { requestId }: Pick<Request, 'requestId'>,
): Promise<Asked<{ readonly credit: number }, 'no-such-user'>> => {
  const answer = await peer.ask(payment.findUser, { params: { user }, requestId })
  return 'json' in answer ? { found: answer.json } : { problem: noSuchUser(user) }
}

/** Asks stock on what terms an item is sold. @throws PeerError */
export const askOffer = async (
  { stock: peer }: Peers,
  item: string,
  { requestId }: Pick<Request, 'requestId'>,
): Promise<Asked<{ readonly price: number }, 'no-such-item' | 'item-withdrawn'>> => {
  const answer = await peer.ask(stock.showItem, { params: { item }, requestId })
  if (!('json' in answer)) return { problem: noSuchItem(item) }
  return answer.json.withdrawn ? { problem: itemWithdrawn(item) } : { found: answer.json }
}
