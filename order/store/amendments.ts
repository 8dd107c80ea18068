/**
 * How is a paid order amended?
 *
 * What goes back for one that is done at once is remembered in this process (`shared/log/own-tail.ts`), as a refund is; how one ends that
 * payment and stock take part in, as the end of a checkout is.
 */
import type { WantedVersions } from '../../shared/http/etag.ts'
import type { Log } from '../../shared/log/log.ts'
import type { Runner } from '../../shared/log/runner.ts'
import type { ResultOnce } from '../../shared/redis/command.ts'
import { optional, text } from '../../shared/redis/reply.ts'
import type { Once } from '../../shared/redis/script.ts'
import type { Dependencies } from '../../shared/service.ts'
import { type Amendment, refundIn } from '../amend/amendment.ts'
import { amendOnce } from '../amend/commands.ts'
import { listed } from '../costs.ts'
import type { OrderMetrics } from '../metrics.ts'
import { acknowledgeRefund } from './refunds.ts'

/** An amendment of an order that has one of these versions and was not changed since a time (in ms), if it is as it was read. */
export type AmendWish = {
  readonly order: string
  readonly from: WantedVersions
  readonly since: number | undefined
  /** Its version as it was read, and what is to become of it; nothing if it could not be amended as it was read. */
  readonly read: number
  readonly amendment: Amendment | undefined
  /** How long payment and stock may take. */
  readonly timeoutMs: number
}

export type AmendmentStore = {
  readonly amend: (wish: AmendWish, once: Once) => Promise<ResultOnce<typeof amendOnce>>
  /** Which version of its order an amendment has made; `undefined` if that is not known. @throws UnavailableError */
  readonly versionMade: (order: string, amendment: string) => Promise<number | undefined>
}

export type AmendmentStoreOptions = Pick<Dependencies, 'step' | 'identifiers' | 'catchUp'> & {
  readonly log: Pick<Log, 'acknowledge' | 'query'>
  readonly runOnce: Runner['runOnce']
  readonly measured: Pick<OrderMetrics, 'amended' | 'refunded'>
}

const textOf = ({ take, back, total, costs }: Amendment) => ({
  take: listed(take),
  back: listed(back),
  total,
  costs: listed(costs),
})

export const openAmendmentStore = (options: AmendmentStoreOptions): AmendmentStore => {
  const { log, step, runOnce, identifiers, catchUp, measured } = options
  const ask = log.query('version-made', optional(text))
  return {
    amend: async ({ order, from, since = '', read, amendment, timeoutMs }, once) => {
      // A Redis that came back older may have forgotten what became of the order: first it is to be known again.
      await catchUp()
      const versions = from === 'any' ? from : from.join(' ')
      const known = { log_id: identifiers.next(), order, versions, since, read, timeout_ms: timeoutMs }
      const args = amendment === undefined ? known : { ...known, ...textOf(amendment) }
      const result = await runOnce(amendOnce, args, once)
      if (result[0] === 'amended') {
        const [granted, refund, of, user, total, lines, restock, entry, amends] = result
        acknowledgeRefund(log, [granted, refund, of, user, total, lines, restock, entry], amends)
        // One that was made before, under the same key, bears another id.
        if (refund === refundIn(known.log_id)) {
          measured.amended()
          measured.refunded('amended')
        }
      }
      return result
    },
    versionMade: async (order, amendment) => {
      const { found } = await step('version-made', () => ask(`${order} ${amendment}`))
      return found === undefined ? undefined : Number(found)
    },
  }
}
