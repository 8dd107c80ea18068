/**
 * What is a refund?
 *
 * Pieces of a paid order that go back, and the money for them. It is *granted*, which is never undone, and *settled* once payment
 * has paid it. The goods go back onto the shelf, or are written off.
 */
import { type Line, parseLines } from '../../shared/contract/lines.ts'
import { impossible } from '../../shared/errors.ts'

export const RESTOCKS = ['shelf', 'none'] as const
/** The most refunds of one order, but for the one of all that is left. */
export const REFUNDS_MAX = 1_000

export type Restock = (typeof RESTOCKS)[number]

export type Refund = {
  readonly id: string
  readonly state: 'granted' | 'settled'
  readonly amount: number
  readonly lines: readonly Line[]
  readonly restock: Restock
  readonly reason: string | null
  /** The number of its credit note, once there is one. */
  readonly note: string | null
  /** The numbers of the credit notes before, which payment has lost and issued anew. */
  readonly replaced: readonly string[]
  readonly grantedMs: number
}

/** What a command returns that has granted a refund: its result, and what follows. */
export type Granted = readonly [
  result: string,
  id: string,
  order: string,
  user: string,
  total: string,
  lines: string,
  restock: string,
  entry: string,
]

const restockOf = (text: string): Restock =>
  RESTOCKS.find((one) => one === text) ?? impossible('order.refund_restock', text)

/** A refund as it is granted. */
export const grantedBy = (
  [, id, , , total, lines, restock, , at]: readonly [...Granted, at: string],
  reason: string,
): Refund => ({
  id,
  state: 'granted',
  amount: Number(total),
  lines: parseLines(lines),
  restock: restockOf(restock),
  reason: reason || null,
  note: null,
  replaced: [],
  grantedMs: Number(at),
})

/** A reason as an entry and what is kept have it: without blanks, and no dash alone, which stands for none. */
export const writtenReason = (reason: string): string => (reason === '-' ? '%2D' : encodeURIComponent(reason))

const given = (text: string): string | null => (text === '-' ? null : text)

/** Reads what `lua/refunds.lua` keeps of a refund; `undefined` if its order was made anew since. */
export const refundOf = (id: string, text: string): Refund | undefined => {
  if (text === '') return undefined
  const [at = '', total = '', restock = '', state = '', note = '', lines = '', reason = '', replaced] = text.split(' ')
  if (state !== 'granted' && state !== 'settled') return impossible('order.refund', text)
  return {
    id,
    state,
    amount: Number(total),
    lines: parseLines(given(lines) ?? ''),
    restock: restockOf(restock),
    reason: reason === '-' ? null : decodeURIComponent(reason),
    note: given(note),
    replaced: replaced?.split(',') ?? [],
    grantedMs: Number(at),
  }
}
