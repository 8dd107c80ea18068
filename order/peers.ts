/** What is a peer asked before a command runs? */
import { PeerError } from '../shared/errors.ts'
import type { Peer, PeerAnswer, PeerQuery } from '../shared/http/client.ts'
import type { Command, ResultOnce } from '../shared/redis/command.ts'
import type { Once } from '../shared/redis/script.ts'
import type { Store } from './store.ts'

export type Peers = { readonly payment: Peer; readonly stock: Peer }

/**
 * Has a request done that a peer must be asked for first. What was done under its key is answered without asking, and what
 * was done meanwhile, by another replica, is answered instead of a refusal.
 * @param command what is to be run
 * @param find what is asked; `undefined` if the peer knows no such thing
 */
export const onceFound = async <Found, One extends Command>(
  store: Store,
  request: Once,
  { returns }: One,
  find: () => Promise<Found | undefined>,
  run: (found: Found) => Promise<ResultOnce<One>>,
): Promise<ResultOnce<One> | undefined> => {
  const known = await store.recall(returns, request)
  if (known) return known
  try {
    const found = await find()
    return await (found === undefined ? store.refuse(returns, request) : run(found))
  } catch (error) {
    const done = error instanceof PeerError ? await store.refuse(returns, request) : undefined
    if (done) return done
    throw error
  }
}

/** What a peer knows of a thing, if there is such a thing. */
export const known = <Q extends PeerQuery>(answer: PeerAnswer<Q>) => ('json' in answer ? answer.json : undefined)
