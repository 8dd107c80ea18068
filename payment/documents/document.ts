/**
 * What is a document?
 *
 * Every movement of captured money has exactly one: an *invoice* where it is captured, a *credit note* where it is given back.
 * Its number is the letter of its kind, its series and its place there: `I1-17`, `C1-3`. Until an order is paid its invoice may be a
 * *draft*, which has no number, and is *void* once the order will never be paid.
 */
import { type Line, parseLines } from '../../shared/contract/lines.ts'

export type Invoice = {
  readonly number: string
  readonly status: 'issued'
  /** When it was issued. */
  readonly at: string
  readonly order_id: string
  readonly user_id: string
  readonly total: number
  readonly lines: readonly Line[]
  /** The checkout, or the refund, by which the money was moved. */
  readonly log_id: string
}
/** What the invoice of an order is to say, as of a version of the order. */
export type Draft = Omit<Invoice, 'number' | 'status'> & {
  readonly number: null
  readonly status: 'draft' | 'void'
  readonly order_version: number
}
export type CreditNote = Omit<Invoice, 'status'> & {
  /** The invoice that it takes back, as far as that is known; none for money that was captured before there were invoices. */
  readonly invoice: string | null
  /** All that it takes back, the first one first: several if it is over more than was left of that one. */
  readonly invoices: readonly string[]
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

const read = ({ at = '0', order = '', user = '', total = '0', lines = '', log_id = '' }: Said) => ({
  at: new Date(Number(at)).toISOString(),
  order_id: order,
  user_id: user,
  total: Number(total),
  lines: parseLines(lines),
  log_id,
})

const numbersIn = (text = ''): readonly string[] => text.split(',').filter((number) => number !== '')

/** Reads what `lua/find-draft.lua` returns; `undefined` if there is none. */
export const readDraft = (order: string, said: Said): Draft | undefined =>
  said.state === undefined
    ? undefined
    : {
        number: null,
        status: said.state === 'void' ? 'void' : 'draft',
        order_version: Number(said.version),
        ...read({ ...said, order }),
      }

export const invoices: Kind<Invoice> = {
  name: 'invoices',
  letter: 'I',
  read: (number, said) => ({ number, status: 'issued', ...read(said) }),
}
export const creditNotes: Kind<CreditNote> = {
  name: 'credit_notes',
  letter: 'C',
  read: (number, said) => {
    const credited = numbersIn(said.credits)
    return { number, ...read(said), invoice: credited[0] ?? null, invoices: credited }
  },
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
