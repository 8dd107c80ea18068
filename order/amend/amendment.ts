/**
 * What is an amendment?
 *
 * A change of an order that is paid. Payment and stock see the increase only: what it costs more on the whole, and which pieces are added;
 * what leaves goes back by a refund once the rest is decided. So an exchange for something as dear wants no money, and nobody is
 * refused for money that the shop owes to them.
 */
import type { Changeable, Changed } from '../change/change.ts'

/** The most amendments of one order: its record names them. */
export const AMENDMENTS_MAX = 100

/** The log id of the refund of what leaves with an amendment. */
export const refundIn = (amendment: string): string => `${amendment}-back`

export type Amendment = {
  /** Pieces that are added, and that leave. */
  readonly take: ReadonlyMap<string, number>
  readonly back: ReadonlyMap<string, number>
  /** What the order costs from then on, and each of its lines. */
  readonly total: number
  readonly costs: ReadonlyMap<string, number>
}

/** What changes of how many pieces of each item there are, in the order in which the lines stand. */
const moved = (from: ReadonlyMap<string, number>, to: ReadonlyMap<string, number>): ReadonlyMap<string, number> =>
  new Map(
    [...to].flatMap(([item, quantity]) => {
      const more = quantity - (from.get(item) ?? 0)
      return more > 0 ? [[item, more] as const] : []
    }),
  )

/** What is to be taken and given back for a change of an order. */
export const amendmentOf = ({ lines }: Changeable, changed: Changed): Amendment => {
  const before = new Map(lines.map(({ item_id, quantity }) => [item_id, quantity]))
  const { lines: after, costs, total } = changed
  return { take: moved(before, after), back: moved(after, before), total, costs }
}
