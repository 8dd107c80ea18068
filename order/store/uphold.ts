/**
 * What becomes of ends that clients were answered, and that this Redis has forgotten?
 *
 * Each is upheld: made true again as far as that can be, else the checkout is contradicted, and a person resolves it. So is a
 * refund that clients were told is granted.
 */
import type { LogEntry } from '../../shared/log/entry.ts'
import type { LogOptions } from '../../shared/log/log.ts'
import type { Runner } from '../../shared/log/runner.ts'
import type { Dependencies } from '../../shared/service.ts'
import { uphold } from '../commands.ts'
import { upholdRefund } from '../refunds/commands.ts'
import { type Contradiction, type Decisions, TOLD } from './decisions.ts'

export type UpholdOptions = Pick<Dependencies, 'catchUp'> & {
  readonly run: Runner['run']
  readonly decisions: Pick<Decisions, 'decisionIn'>
  readonly onContradicted: (contradiction: Contradiction) => void
}

/** The function that is returned gives back the entries that are to be listed as lost. */
export const upholding = ({
  run,
  catchUp,
  decisions: { decisionIn },
  onContradicted,
}: UpholdOptions): NonNullable<LogOptions<'order'>['uphold']> => {
  /** Upholds what was answered about a checkout. @returns whether it is as it was answered, without that. */
  const isUpheld = async ({ kind, log_id, facts }: LogEntry): Promise<boolean> => {
    const { order = '', user = '', total = '0' } = facts
    const result = await run(uphold, { log_id, order, user, total, told: TOLD.get(kind) ?? '' })
    decisionIn(result)
    return result[0] === 'kept'
  }

  /** The same of a refund that was granted: an order that it can be granted of shows it again, and payment pays it once. */
  const isRefundUpheld = async ({ log_id, facts }: LogEntry): Promise<boolean> => {
    const { order = '', user = '', total = '0', lines = '', restock = '' } = facts
    const result = await run(upholdRefund, { log_id, order, user, total, lines, restock })
    if (result[0] === 'contradicted') onContradicted({ id: result[1], by: result[2], order: result[3] })
    return result[0] === 'kept' || result[0] === 'granted'
  }

  /**
   * First those whose client was answered that nothing is charged, before it can be; what was paid is rebuilt once payment's log
   * has been applied, and refunds of it after that.
   */
  return async (gone) => {
    const ends = gone.filter(({ kind }) => TOLD.has(kind))
    const { paid = [], unpaid = [] } = Object.groupBy(ends, ({ kind }) =>
      TOLD.get(kind) === 'paid' ? 'paid' : 'unpaid',
    )
    const kept = new Set<LogEntry>()
    for (const end of unpaid) if (await isUpheld(end)) kept.add(end)
    const refunds = gone.filter(({ kind }) => kind === 'RefundGranted')
    if (paid.length > 0 || refunds.length > 0) await catchUp()
    for (const end of paid) if (await isUpheld(end)) kept.add(end)
    for (const refund of refunds) if (await isRefundUpheld(refund)) kept.add(refund)
    return gone.filter((entry) => !kept.has(entry))
  }
}
