/**
 * What becomes of what clients were answered about a checkout, and this Redis has forgotten?
 *
 * Each is upheld: made true again as far as that can be, else the checkout is contradicted, and a person resolves it. So is a
 * refund that clients were told is granted.
 */
import { setTimeout as after } from 'node:timers/promises'
import { UnavailableError } from '../../shared/errors.ts'
import type { LogEntry } from '../../shared/log/entry.ts'
import type { LogOptions } from '../../shared/log/log.ts'
import type { Runner } from '../../shared/log/runner.ts'
import type { Dependencies } from '../../shared/service.ts'
import { cancelOrder } from '../cancel/commands.ts'
import { uphold } from '../commands.ts'
import { type Contradiction, type Decisions, TOLD } from './decisions.ts'
import { upholdingRefunds } from './uphold-refunds.ts'

export type UpholdOptions = Pick<Dependencies, 'catchUp' | 'identifiers'> & {
  readonly run: Runner['run']
  readonly decisions: Pick<Decisions, 'decisionIn' | 'acknowledge'>
  readonly onContradicted: (contradiction: Contradiction) => void
}

/** How often, and after how long again, it is looked whether what was refunded of a cancelled order is known again. */
const REFUND_TRIES = 20
const REFUND_PAUSE_MS = 250

const ofAmendment = (amends: string | undefined) => (amends === undefined ? {} : { amends })

/** What was answered about checkouts: by how they ended, or that they were begun. */
const toldIn = (gone: readonly LogEntry[]) =>
  Object.groupBy(
    gone.filter(({ kind }) => TOLD.has(kind)),
    ({ kind }) => {
      const what = TOLD.get(kind)
      return what === 'paid' ? 'paid' : what === 'under-way' ? 'begun' : 'unpaid'
    },
  )

/** Upholds that an order was cancelled: also one that is forgotten is never to be paid. Its refund is upheld by itself. */
const upholdingCancellations = ({ run, decisions: { acknowledge } }: Pick<UpholdOptions, 'run' | 'decisions'>) => {
  const isCancellationUpheld = async ({ log_id, facts }: LogEntry): Promise<boolean> => {
    const { order = '', user = '', why } = facts
    const because = why === undefined ? {} : { why }
    const result = await run(cancelOrder, { log_id, order, user, versions: 'any', refund: '', restock: '', ...because })
    if (result[0] === 'given-up') acknowledge(result[1])
    return result[0] !== 'contradicted'
  }
  return {
    isCancellationUpheld,
    /** The same of one of which something was refunded: another process may still have to uphold that, and payment to say so. */
    isCancellationUpheldInTime: async (end: LogEntry): Promise<boolean> => {
      for (let tries = 1; !(await isCancellationUpheld(end)); tries += 1) {
        if (tries === REFUND_TRIES) return false
        await after(REFUND_PAUSE_MS)
      }
      return true
    },
  }
}

/** The function that is returned gives back the entries that are to be listed as lost. */
export const upholding = ({
  run,
  catchUp,
  identifiers,
  decisions,
  onContradicted,
}: UpholdOptions): NonNullable<LogOptions<'order'>['uphold']> => {
  const { decisionIn } = decisions
  const upholdRefunds = upholdingRefunds({ run, onContradicted })
  const { isCancellationUpheld, isCancellationUpheldInTime } = upholdingCancellations({ run, decisions })
  /** Upholds what was answered about a checkout. @returns whether it is as it was answered, without that. */
  const isUpheld = async (entry: LogEntry): Promise<boolean> => {
    const { kind, log_id, facts } = entry
    const { order = '', user = '', total = '0', lines = '', deadline = '', amends } = facts
    const told = TOLD.get(kind) ?? ''
    const result = await run(uphold, { log_id, order, user, total, lines, deadline, told, ...ofAmendment(amends) })
    decisionIn(result)
    // Its client was told that the order will be cancelled, too.
    if (facts.by === 'customer') await isCancellationUpheld({ ...entry, log_id: identifiers.next() })
    return result[0] === 'kept' || result[0] === 'submitted'
  }

  /**
   * First those whose client was answered that nothing is charged, before it can be; what was paid is rebuilt once payment's log
   * has been applied, and refunds of it after that. An order of which something was refunded is cancelled last, and not at all if
   * such a refund is lost: what was paid for it would be given back twice. What was said to be under way, and ended, is of no
   * interest any more. While payment is away it is too early for what was paid, or refunded, and perhaps for a refund: all is
   * tried again, when the rest is kept.
   */
  return async (gone) => {
    const kept = new Set<LogEntry>()
    const upholdAll = async (
      entries: readonly LogEntry[],
      isAsAnswered: (entry: LogEntry) => Promise<boolean>,
    ): Promise<void> => {
      for (const entry of entries) if (await isAsAnswered(entry)) kept.add(entry)
    }
    const { paid = [], unpaid = [], begun = [] } = toldIn(gone)
    const ended = new Set([...paid, ...unpaid].map(({ log_id }) => log_id))
    const refunds = gone.filter(({ kind }) => kind === 'RefundGranted')
    const cancellations = gone.filter(({ kind }) => kind === 'OrderCancelled' || kind === 'CancellationRequested')
    const refundsOf = ({ facts: { order } }: LogEntry) => refunds.filter((refund) => refund.facts.order === order)
    // The refund may be what another process was answered for.
    const wasRefunded = (end: LogEntry): boolean => end.facts.refunded !== undefined || refundsOf(end).length > 0
    const { yes: ofRefunded = [], no: ofOthers = [] } = Object.groupBy(cancellations, (end) =>
      wasRefunded(end) ? 'yes' : 'no',
    )

    await upholdAll(unpaid, isUpheld)
    await upholdAll(ofOthers, isCancellationUpheld)
    const needsPayment = paid.length > 0 || refunds.length > 0 || ofRefunded.length > 0
    const isCaughtUp = !needsPayment || (await catchUp())
    if (isCaughtUp) await upholdAll(paid, isUpheld)
    const upheld = await upholdRefunds(gone, isCaughtUp)
    for (const entry of upheld.kept) kept.add(entry)
    if (isCaughtUp)
      await upholdAll(
        ofRefunded.filter((end) => refundsOf(end).every((refund) => kept.has(refund))),
        isCancellationUpheldInTime,
      )
    await upholdAll(begun, async (beginning) => ended.has(beginning.log_id) || isUpheld(beginning))
    if (upheld.early.size > 0 || (paid.length + ofRefunded.length > 0 && !isCaughtUp))
      throw new UnavailableError('payment does not answer, which knows what was paid, and amended')
    return gone.filter((entry) => !kept.has(entry))
  }
}
