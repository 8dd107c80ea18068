/**
 * What becomes of the refunds that clients were told are granted, and this Redis has forgotten?
 *
 * An order that they can be granted of shows them again, and payment pays each once. One of an amendment that was done at once is made
 * again together with that, of the order that was amended. If an amendment before it is forgotten, too, only payment's log tells of that:
 * while payment is away, it is too early for what was refunded of that order.
 */
import type { LogEntry } from '../../shared/log/entry.ts'
import type { Runner } from '../../shared/log/runner.ts'
import { refundIn } from '../amend/amendment.ts'
import { upholdRefund } from '../refunds/commands.ts'
import type { Contradiction } from './decisions.ts'

export type UpholdRefundsOptions = {
  readonly run: Runner['run']
  readonly onContradicted: (contradiction: Contradiction) => void
}

/** Which of the entries that are gone are as they were answered; and for which orders it is too early. */
export type UpheldRefunds = { readonly kept: readonly LogEntry[]; readonly early: ReadonlySet<string> }

/** The function that is returned takes what is gone, and whether payment's log is applied. */
export const upholdingRefunds = ({ run, onContradicted }: UpholdRefundsOptions) => {
  /** @param amended what was lost together with it, if it is of an amendment */
  const upholdOne = async ({ log_id, facts }: LogEntry, amended: LogEntry | undefined, isCaughtUp: boolean) => {
    const { order = '', user = '', total = '0', lines = '', restock = '', amends } = facts
    const { costs } = amended?.facts ?? {}
    const known = { ...(amends && { amends }), ...(costs && { costs }), ...(isCaughtUp ? {} : { early: 'yes' }) }
    const result = await run(upholdRefund, { log_id, order, user, total, lines, restock, ...known })
    if (result[0] === 'contradicted') onContradicted({ id: result[1], by: result[2], order: result[3] })
    return result[0]
  }

  return async (gone: readonly LogEntry[], isCaughtUp: boolean): Promise<UpheldRefunds> => {
    const kept: LogEntry[] = []
    const early = new Set<string>()
    for (const refund of gone.filter(({ kind }) => kind === 'RefundGranted')) {
      const { order = '' } = refund.facts
      if (early.has(order)) continue
      const amended = gone.find(({ kind, log_id }) => kind === 'OrderAmended' && refundIn(log_id) === refund.log_id)
      const result = await upholdOne(refund, amended, isCaughtUp)
      if (result === 'early') early.add(order)
      // An order was amended together with the refund of what left it.
      if (result === 'kept' || result === 'granted') kept.push(refund, ...(amended ? [amended] : []))
    }
    return { kept, early }
  }
}
