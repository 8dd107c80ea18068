/**
 * How do questions to a peer share one request?
 *
 * A request costs both sides a few hundred microseconds, whatever it asks for. So what is asked while one is under way waits for its
 * end and leaves in one, as in a group commit; what is alone leaves at the end of the turn of the event loop. Where many ask, they come
 * in bursts, of which the first would leave alone: there it waits for the others for a moment. Nothing waits longer than `WAIT_MS`: a
 * replica that does not answer holds up only what was asked of it. No answer is older than its question.
 */
import { setTimeout as after, setImmediate as turnEnd } from 'node:timers/promises'
import type { Requester } from './client.ts'

const WAIT_MS = 10
/** Many are so many requests that asked the last time. */
const MANY = 6
const GATHER_MS = 2
/** Names of requests are up to 128 characters long, and all headers together up to 16 KiB. */
const NAMES_MAX = 16

/** Asks for many things at once. @returns what was found, by the ids of what there is */
type AskAll<Found> = (ids: readonly string[], of: Requester) => Promise<ReadonlyMap<string, Found>>

type Group<Found> = {
  readonly ids: Set<string>
  readonly names: Set<string>
  readonly traces: Set<string>
  readonly found: Promise<ReadonlyMap<string, Found>>
}

/** Finds things by their ids, and perhaps others that were asked for with them. Rejects with the error of a request. */
export type Find<Found> = (
  ids: Iterable<string>,
  of: Pick<Requester, 'requestId' | 'trace'>,
) => Promise<ReadonlyMap<string, Found>>

/**
 * Asks for things in a request that asks for those of others, too; by logs it is called as all of theirs are, and it is of
 * the first trace that one of them is of.
 * @param most how many things one request asks for
 * @param gatherMs for tests: how long the first of a burst waits
 */
export const together = <Found>(askAll: AskAll<Found>, most: number, gatherMs = GATHER_MS): Find<Found> => {
  let open: Group<Found> | undefined
  /** Ends with the request that left last, if that is under way. */
  let busy: Promise<void> | undefined
  /** How many requests shared the one that left last. */
  let sharers = 0

  const begin = (): Group<Found> => {
    const ids = new Set<string>()
    const names = new Set<string>()
    const traces = new Set<string>()
    const ask = async (): Promise<ReadonlyMap<string, Found>> => {
      const gathered = sharers < MANY ? undefined : after(gatherMs, undefined, { ref: false })
      if (busy !== undefined) await Promise.race([busy, after(WAIT_MS, undefined, { ref: false })])
      if (gathered !== undefined) await gathered
      await turnEnd()
      if (open === group) open = undefined
      sharers = names.size
      const { promise, resolve: end } = Promise.withResolvers<void>()
      busy = promise
      try {
        const [trace] = traces
        return await askAll([...ids], { requestId: [...names].slice(0, NAMES_MAX).join(',') || undefined, trace })
      } finally {
        if (busy === promise) busy = undefined
        end()
      }
    }
    const group: Group<Found> = { ids, names, traces, found: ask() }
    return group
  }

  return (wanted, { requestId, trace }) => {
    const groups: Group<Found>[] = []
    for (const id of wanted) {
      if (open === undefined || (open.ids.size >= most && !open.ids.has(id))) open = begin()
      open.ids.add(id)
      if (groups.at(-1) === open) continue
      groups.push(open)
      if (requestId !== undefined) open.names.add(requestId)
      if (trace !== undefined) open.traces.add(trace)
    }
    const [only] = groups
    if (only !== undefined && groups.length === 1) return only.found
    return Promise.all(groups.map(({ found }) => found)).then((all) => new Map(all.flatMap((found) => [...found])))
  }
}
