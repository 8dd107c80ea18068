/**
 * What is a document?
 *
 * Every movement of captured money has exactly one: an *invoice* where it is captured, a *credit note* where it is given back.
 * Its number is the letter of its kind, its series and its place there: `I1-17`, `C1-3`.
 */
import { type Line, parseLines } from '../../shared/contract/events.ts'

export type Invoice = {
  readonly number: string
  /** When it was issued. */
  readonly at: string
  readonly order_id: string
  readonly user_id: string
  readonly total: number
  readonly lines: readonly Line[]
  /** The checkout, or the refund, by which the money was moved. */
  readonly log_id: string
}
export type CreditNote = Invoice & {
  /** The invoice that it takes back, as far as that is known; none for money that was captured before there were invoices. */
  readonly invoice: string | null
}

/** What is written in a series. */
type Said = Readonly<Record<string, string>>

export type Kind<Document> = {
  /** What the Lua files call it. */
  readonly name: 'invoices' | 'credit_notes'
  readonly letter: 'I' | 'C'
  /** A document as it is shown. */
  readonly read: (number: string, said: Said) => Document
}

const readInvoice = (number: string, said: Said): Invoice => {
  const { at = '0', order = '', user = '', total = '0', lines = '', log_id = '' } = said
  return {
    number,
    at: new Date(Number(at)).toISOString(),
    order_id: order,
    user_id: user,
    total: Number(total),
    lines: parseLines(lines),
    log_id,
  }
}

export const invoices: Kind<Invoice> = { name: 'invoices', letter: 'I', read: readInvoice }
export const creditNotes: Kind<CreditNote> = {
  name: 'credit_notes',
  letter: 'C',
  read: (number, said) => ({ ...readInvoice(number, said), invoice: said.credits || null }),
}

/** Of what form are the numbers of a kind? */
export const numberForm = ({ letter }: Pick<Kind<unknown>, 'letter'>): RegExp =>
  new RegExp(`^${letter}[1-9]\\d{0,5}-[1-9]\\d{0,14}$`)

const placeOf = (number: string): readonly number[] => number.slice(1).split('-').map(Number)

/** The number of two that was given later; `''` stands for none. */
export const laterNumber = (one: string, other: string): string => {
  const [series = 0, place = 0] = placeOf(one)
  const [otherSeries = 0, otherPlace = 0] = placeOf(other)
  return otherSeries > series || (otherSeries === series && otherPlace > place) ? other : one
}
