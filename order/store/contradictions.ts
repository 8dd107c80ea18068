/** Which orders are not what was decided of them, and what does a person wish about it? */
import type { Log } from '../../shared/log/log.ts'
import type { Runner } from '../../shared/log/runner.ts'
import type { ResultOnce } from '../../shared/redis/command.ts'
import type { Once } from '../../shared/redis/script.ts'
import type { Dependencies } from '../../shared/service.ts'
import { resolve } from '../commands.ts'
import { names } from './keys.ts'

/** The most checkouts of one order that are looked for. */
const CHECKOUTS_MAX = 100
/** The most contradictions that are listed with all that is known of them. */
const LISTED_MAX = 1_000

/** An order that is contradicted: by which of its checkouts, by what, and since when, as far as that is recorded. */
export type Contradicted = {
  readonly order_id: string
  readonly log_id: string | null
  readonly by: string
  readonly since: string | null
}

export type ContradictionStore = {
  /** Ends a contradiction as a person wishes. */
  readonly resolve: (
    id: string,
    wish: { by: 'refund' | 'accept'; why: string },
    once: Once,
  ) => Promise<ResultOnce<typeof resolve>>
  /** By what a checkout is contradicted, if it is. */
  readonly contradictedBy: (id: string) => Promise<string | undefined>
  /** Orders that are contradicted and wait for a person. */
  readonly contradictions: () => Promise<readonly string[]>
  /** How many these are. */
  readonly countContradictions: () => Promise<number>
  /** The same with what is known of each, the oldest first, up to `LISTED_MAX`. */
  readonly contradicted: () => Promise<readonly Contradicted[]>
  /** The log ids of an order's amendments and checkouts, the last one first, as far as they are still recorded. */
  readonly checkoutsOf: (order: string) => Promise<readonly string[] | undefined>
}

export type ContradictionStoreOptions = Pick<Dependencies, 'redis' | 'step'> & {
  readonly log: Log
  readonly runOnce: Runner['runOnce']
}

export const openContradictionStore = ({
  log,
  redis,
  step,
  runOnce,
}: ContradictionStoreOptions): ContradictionStore => {
  const contradictions = (): Promise<readonly string[]> =>
    step('contradictions', () => redis.smembers(names.contradictions))

  const contradictedBy = async (id: string): Promise<string | undefined> => {
    const [by, resolved] = await step('contradicted', () => redis.hmget(`saga:${id}`, 'contradicted', 'resolved'))
    return resolved == null ? (by ?? undefined) : undefined
  }

  const forgottenOf = async (order: string): Promise<readonly string[]> =>
    (await step('forgotten', () => redis.hget(names.forgotten, order)))?.split(',') ?? []

  const checkoutsOf = async (order: string): Promise<readonly string[] | undefined> => {
    const [user, last, amendment, amended] = await step('last-saga', () =>
      redis.hmget(names.order + order, 'user', 'saga', 'amendment', 'amended'),
    )
    if (user == null) return undefined
    const before = (id: string) => step('saga-before', () => redis.hget(`saga:${id}`, 'previous'))
    // One that is under way, or was refused, is not among those that were made.
    const made = amended?.split(',').toReversed() ?? []
    const ids = amendment == null || made.includes(amendment) ? made : [amendment, ...made]
    const most = ids.length + CHECKOUTS_MAX
    for (let id = last; id && ids.length < most; id = await before(id)) ids.push(id)
    return ids
  }

  const contradictedOf = async (order_id: string): Promise<Contradicted> => {
    const ids = [...(await forgottenOf(order_id)), ...((await checkoutsOf(order_id)) ?? [])]
    for (const id of ids) {
      const by = await contradictedBy(id)
      if (by === undefined) continue
      const last = (await log.entriesOf(id)).findLast(({ kind }) => kind === 'CheckoutContradicted')
      return { order_id, log_id: id, by, since: last?.at ?? null }
    }
    // An older version has listed the order only.
    return { order_id, log_id: ids[0] ?? null, by: '', since: null }
  }

  return {
    // An entry has no blanks.
    resolve: (id, { by, why }, once) => runOnce(resolve, { log_id: id, by, why: encodeURIComponent(why) }, once),
    contradictedBy,
    contradictions,
    countContradictions: () => step('count-contradictions', () => redis.scard(names.contradictions)),
    contradicted: async () => {
      const found = await Promise.all((await contradictions()).slice(0, LISTED_MAX).map(contradictedOf))
      return found.toSorted((a, b) => (a.since ?? '').localeCompare(b.since ?? ''))
    },
    checkoutsOf,
  }
}
