/**
 * Was every checkout decided of which its client was told only that it will be, and as it was told?
 *
 * A client that does not wait is told a deadline. It, and whoever asks for the checkout later, is told an end at most once: what was told
 * to be paid is, and what was told to be refused or cancelled is not. An order that was placed by form has one try.
 */
import type { LogEntry } from '../../../shared/log/entry.ts'
import type { Account, OrderState } from './accounts.ts'
import type { Anomaly } from './anomaly.ts'
import { isSubmitted, type Operation } from './history.ts'

/** The log parser decides what is late, and its process may have to be found dead before. A Redis that is away decides nothing. */
const LATE_MS = 30_000

const DECIDES: ReadonlySet<string> = new Set(['OrderPaid', 'CheckoutFailed', 'CheckoutCancelled'])
/** What is said of a checkout in the log that was told to be so. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  paid: ['paid'],
  refused: ['failed'],
  cancelled: ['failed', 'cancelling', 'closed'],
}

type Evidence = {
  readonly logs: { readonly order: { readonly entries: readonly LogEntry[] } }
  readonly lossy: boolean
}

/** When each checkout was decided, by the clock of order's Redis. */
const decidedAt = (entries: readonly LogEntry[]): ReadonlyMap<string, number> => {
  const decided = new Map<string, number>()
  for (const { id, kind, log_id } of entries)
    if (DECIDES.has(kind) && !decided.has(log_id)) decided.set(log_id, Number(id.split('-')[0]))
  return decided
}

/** Ends that were told and are not so, and checkouts that were told to come to one and did not in time. */
const untrue = (operation: Operation, { sagas }: Account<OrderState>, decided: ReadonlyMap<string, number>): string => {
  const { saga = '', state = '', deadline = '' } = operation.value
  if (saga === '') return ''
  const now = sagas.get(saga)?.state ?? 'unknown'
  const ends = ENDS[state]
  if (ends !== undefined) return ends.includes(now) ? '' : `${saga} was told to be ${state}, and is ${now}`
  const at = decided.get(saga)
  if (at === undefined) return `${saga} was told to be ${state}, and was never decided: it is ${now}`
  return at > Date.parse(deadline) + LATE_MS ? `${saga} was decided ${at - Date.parse(deadline)} ms too late` : ''
}

/** Orders placed by form that are neither paid nor cancelled, or were tried more than once. */
const triedAgain = (history: readonly Operation[], { timelines }: Account<OrderState>): Anomaly[] =>
  history.flatMap(({ does, told, facts: { order } }): Anomaly[] => {
    if (does !== 'place-form' || told !== 'ok') return []
    const moments = timelines.get(`order:${order}`) ?? []
    const status = moments.at(-1)?.state.status ?? 'gone'
    const tries = new Set(moments.flatMap(({ saga, action }) => (action === 'refund' ? [] : (saga ?? []))))
    return ['paid', 'cancelled'].includes(status) && tries.size === 1
      ? []
      : [{ name: 'tried-again', about: `order:${order}`, says: `${status} after ${tries.size} checkouts` }]
  })

/** Everything that was said of ends, and is not so. After a loss the checkouts that were forgotten are listed, or made anew. */
export const untrueEnds = (
  history: readonly Operation[],
  { logs, lossy }: Evidence,
  account: Account<OrderState>,
): Anomaly[] => {
  if (lossy) return []
  const decided = decidedAt(logs.order.entries)
  const asked = history.filter((one) => one.does === 'find-checkout' || isSubmitted(one))
  const told = asked.flatMap((operation): Anomaly[] => {
    const says = untrue(operation, account, decided)
    return says === '' ? [] : [{ name: 'told-end-untrue', about: `order:${operation.facts.order}`, says }]
  })
  return [...told, ...triedAgain(history, account)]
}
