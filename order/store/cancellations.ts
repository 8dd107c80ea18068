/**
 * How is an order given up, and how does one end that was abandoned?
 *
 * What a client was told is cancelled is remembered in this process (`shared/log/own-tail.ts`), so that it is cancelled once more if
 * the Redis comes back without it.
 */
import type { Redis } from 'ioredis'
import { VERSION } from '../../shared/contract/events.ts'
import type { WantedVersions } from '../../shared/http/etag.ts'
import type { Log } from '../../shared/log/log.ts'
import type { Runner } from '../../shared/log/runner.ts'
import { knownResult, type ResultOnce } from '../../shared/redis/command.ts'
import { list, optional, text } from '../../shared/redis/reply.ts'
import type { Once, Reply } from '../../shared/redis/script.ts'
import type { Dependencies } from '../../shared/service.ts'
import { cancelOrder, expireOrder } from '../cancel/commands.ts'
import { close } from '../commands.ts'
import type { OrderMetrics } from '../metrics.ts'
import { type Refund, type Restock, refundOf, writtenReason } from '../refunds/refund.ts'
import { listen } from './channel.ts'
import type { Decisions } from './decisions.ts'
import { names } from './keys.ts'
import { acknowledgeRefund } from './refunds.ts'

/** An order that is to be given up: from one of these versions, and why, in the words of its customer. */
export type CancelWish = {
  readonly order: string
  readonly from: WantedVersions
  /** What becomes of its goods, if it is paid. */
  readonly restock: Restock
  readonly reason: string | undefined
}

/** How an order stands that was given up; `id` is the log id of that, and the refund that of all that was left of it. */
export type Cancellation = {
  readonly status: string
  readonly version: number
  readonly id: string | undefined
  readonly refund: Refund | undefined
  /** How much went back of it in all. */
  readonly refunded: number
}

export type CancellationStore = {
  readonly cancelOrder: (wish: CancelWish, once: Once) => Promise<ResultOnce<typeof cancelOrder>>
  /** `undefined` if there is no such order. @throws UnavailableError */
  readonly cancellation: (order: string) => Promise<Cancellation | undefined>
  /** The order that an entry of payment's has cancelled, by what was returned to it. */
  readonly cancelledBy: (reply: Reply) => string | undefined
  /** Calls with each order that is cancelled, in whichever replica. */
  readonly watchCancellations: (subscriber: Redis, onCancelled: (order: string) => void) => void
  /** Ends orders that nobody has touched for so long, of the next thousand keys. @returns how many */
  readonly expireSome: (ageMs: number) => Promise<number>
}

export type CancellationStoreOptions = Pick<Dependencies, 'step' | 'identifiers' | 'catchUp'> & {
  readonly log: Log
  readonly runner: Runner
  readonly decisions: Pick<Decisions, 'acknowledge' | 'onMade'>
  readonly measured: Pick<OrderMetrics, 'refunded'>
}

/** Redis looks at so many keys in less than a millisecond. */
const KEYS = 1_000

/** What `cancel/lua/cancellation.lua` returns. */
const cancellationReply = list(optional(text))

export const openCancellationStore = (options: CancellationStoreOptions): CancellationStore => {
  const { log, step, identifiers, catchUp, runner, decisions, measured } = options
  const { run, runOnce, recall } = runner
  const ask = log.query('cancellation', cancellationReply)

  const cancelOnce = async (
    { order, from, restock, reason }: CancelWish,
    once: Once,
  ): Promise<ResultOnce<typeof cancelOrder>> => {
    const known = await recall(cancelOrder.returns, once)
    if (known) return known
    // A Redis that came back older may have forgotten that the order was paid: first it is to be known again.
    await catchUp()
    const versions = from === 'any' ? from : from.join(' ')
    // An entry has no blanks.
    const why = reason === undefined ? {} : { why: writtenReason(reason) }
    const ids = { refund: identifiers.next(), log_id: identifiers.next() }
    const args = { ...ids, order, versions, restock, ...why }
    const result = await runOnce(cancelOrder, args, { ...once, isRepeated: true })
    if (result[0] === 'given-up') decisions.onMade(result[1])
    // One that was granted before bears another id.
    if (result[0] === 'refunded' && result[1] === ids.refund) measured.refunded('cancelled')
    return result
  }

  return {
    cancelOrder: async (wish, once) => {
      const result = await cancelOnce(wish, once)
      if (result[0] === 'given-up') decisions.acknowledge(result[1])
      if (result[0] === 'refunded') acknowledgeRefund(log, result)
      return result
    },
    cancellation: async (order) => {
      const { found } = await step('cancellation', () => ask(order))
      const [status, version = '1', user = '', id, why, entry, refund = '', kept = '', granted, all = '0'] = found
      if (status === undefined) return undefined
      // A client is answered it.
      if (entry !== undefined)
        log.acknowledge(entry, () => [
          'OrderCancelled',
          [
            `version=${VERSION} log_id=${id} order=${order} user=${user}`,
            ...(why === undefined ? [] : [`why=${why}`]),
            ...(all === '0' ? [] : [`refunded=${all}`]),
          ].join(' '),
        ])
      const known = refundOf(refund, kept)
      if (known !== undefined && granted !== undefined) {
        const lines = known.lines.map((line) => line.join(':')).join()
        acknowledgeRefund(log, ['refunded', refund, order, user, String(known.amount), lines, known.restock, granted])
      }
      return { status, version: Number(version), id, refund: known, refunded: Number(all) }
    },
    cancelledBy: (reply) => {
      const result = knownResult({ closed: close.returns.closed }, reply)
      return result?.[1]
    },
    watchCancellations: (subscriber, onCancelled) => listen(step, subscriber, names.cancellations, onCancelled),
    expireSome: async (ageMs) => {
      const [since_ms = '0', ...orders] = await log.run('find-abandoned', { age_ms: ageMs, keys: KEYS })
      let expired = 0
      for (const order of orders) {
        const [result] = await run(expireOrder, { log_id: identifiers.next(), order, since_ms })
        if (result === 'expired') expired += 1
      }
      return expired
    },
  }
}
