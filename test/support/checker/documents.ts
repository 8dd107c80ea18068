/**
 * Has every movement of captured money exactly one document, and every document its movement?
 *
 * A movement is an entry of payment: captured money has an invoice, what is given back of it a credit note, and the entry bears
 * the number. Documents and movements are written by one script into one Redis, so that this holds also of one that came back older.
 */
import type { LogEntry } from '../../../shared/log/entry.ts'
import type { Anomaly } from './anomaly.ts'

type Fields = Readonly<Record<string, string>>

export type DocumentsEvidence = {
  /** Of each series, `I1`, `C1`, ...: the last number that was ever given in it. */
  readonly last: ReadonlyMap<string, number>
  /** What each document says, by its number, `I1-17`. */
  readonly documents: ReadonlyMap<string, Fields>
}

const NUMBERED_BY: Readonly<Record<string, 'invoice' | 'note'>> = {
  CreditCaptured: 'invoice',
  CreditRefunded: 'note',
  CreditReleased: 'note',
  CreditVoided: 'note',
}
/** These always move captured money, but for an amendment that costs nothing. What was only held is let go without a document. */
const ALWAYS_MOVES: ReadonlySet<string> = new Set(['CreditCaptured', 'CreditRefunded'])

const misdocumented = (says: string, about = 'log:payment'): Anomaly => ({ name: 'misdocumented', about, says })

/** As long as no number is missing, a series has as many documents as its last number says. */
const gaps = ({ last, documents }: DocumentsEvidence): Anomaly[] =>
  [...last].flatMap(([series, number]) => {
    const there = [...documents.keys()].filter((one) => one.startsWith(`${series}-`)).length
    return there === number ? [] : [misdocumented(`${series} has ${there} documents, and ${number} is its last number`)]
  })

/** Is it about what its movement was? What is released of a checkout may be less than was captured. */
const isOf = ({ kind, log_id, facts }: LogEntry, document: Fields): boolean =>
  document.log_id === log_id &&
  document.order === facts.order &&
  (!ALWAYS_MOVES.has(kind) || facts.total === undefined || document.total === facts.total)

/** Movements without a document of their own, and documents without a movement. */
const unmatched = (
  { documents }: DocumentsEvidence,
  entries: readonly LogEntry[],
  hasUndocumented: boolean,
): Anomaly[] => {
  const moved = new Map<string, LogEntry>()
  const found: Anomaly[] = []
  for (const entry of entries) {
    const { kind, log_id, facts } = entry
    const fact = NUMBERED_BY[kind]
    if (fact === undefined) continue
    const number = facts[fact]
    const about = `order:${facts.order}`
    if (number === undefined) {
      const isOfNothing = facts.amends !== undefined && facts.total === '0'
      if (!isOfNothing && ALWAYS_MOVES.has(kind) && !hasUndocumented)
        found.push(misdocumented(`${kind} of ${log_id} has no document`, about))
      continue
    }
    // What is said again is the same movement.
    const before = moved.get(number)
    if (before !== undefined && before.log_id !== log_id)
      found.push(misdocumented(`${number} is of ${before.log_id} and of ${log_id}`, about))
    moved.set(number, entry)
    const document = documents.get(number)
    if (document === undefined || !isOf(entry, document))
      found.push(misdocumented(`${kind} of ${log_id} has ${number}, which says ${JSON.stringify(document)}`, about))
  }
  const idle = [...documents.keys()].filter((number) => !moved.has(number))
  return [...found, ...idle.map((number) => misdocumented(`${number} is of no movement`))]
}

/** Credit notes that take more back than is left of the invoices that they name, each after the notes before it. */
export const overdrawn = ({ documents }: DocumentsEvidence): Anomaly[] => {
  const left = new Map<string, bigint>()
  for (const [number, { total = '0' }] of documents) if (number.startsWith('I')) left.set(number, BigInt(total))
  return [...documents].flatMap(([number, { total = '0', credits = '', order }]) => {
    if (credits === '') return []
    let due = BigInt(total)
    for (const invoice of credits.split(',')) {
      const found = left.get(invoice) ?? 0n
      const taken = found < due ? found : due
      left.set(invoice, found - taken)
      due -= taken
    }
    return due === 0n
      ? []
      : [misdocumented(`${number} takes back ${due} more than is left of ${credits}`, `order:${order}`)]
  })
}

/** All that documents contradict: they add up to what is charged, without a gap, and are of movements one to one. */
export const brokenDocuments = (
  read: DocumentsEvidence,
  entries: readonly LogEntry[],
  ledger: (account: string) => bigint,
): Anomaly[] => {
  const [invoiced, credited, undocumented] = [ledger('invoiced'), ledger('credited'), ledger('undocumented')]
  const says = `${invoiced} invoiced, ${credited} credited, ${undocumented} undocumented, ${ledger('charged')} charged`
  const sums = { I: 0n, C: 0n }
  for (const [number, { total = '0' }] of read.documents) sums[number.startsWith('I') ? 'I' : 'C'] += BigInt(total)
  return [
    ...(invoiced - credited + undocumented === ledger('charged') ? [] : [misdocumented(says)]),
    ...(sums.I === invoiced && sums.C === credited
      ? []
      : [misdocumented(`${says}; documents say ${sums.I} and ${sums.C}`)]),
    ...gaps(read),
    ...unmatched(read, entries, undocumented > 0n),
  ]
}
