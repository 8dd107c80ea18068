/**
 * What becomes of an order that is changed?
 *
 * Pieces that are added cost what their item costs now. Pieces that are removed leave at what they have cost: rounded down if that
 * does not divide, so all pieces of a line leave together at its cost, to the unit.
 */
import type { ShownOrder } from '../shown.ts'

/** Of how many pieces the line of an item is to be from now on; of none, it is no line. Other lines stay. */
export type Wanted = ReadonlyMap<string, number>

/** An order as far as a change concerns it. What a line has cost is `null` if an older version has added it. */
export type Changeable = Pick<ShownOrder, 'total_cost'> & {
  readonly lines: readonly Pick<ShownOrder['lines'][number], 'item_id' | 'quantity' | 'cost'>[]
}
type Line = Changeable['lines'][number]

/** Pieces of each line; what it costs, as far as that is known; and what all lines cost together. */
export type Changed = {
  readonly lines: ReadonlyMap<string, number>
  readonly costs: ReadonlyMap<string, number>
  readonly total: number
}

/** What a client wants that says it of the one line of an order; `undefined` if that has none, or more. */
export const ofTheOnlyLine = ({ lines }: Changeable, quantity: number | undefined): Wanted | undefined => {
  const [line, another] = lines
  if (line === undefined || another !== undefined) return undefined
  return new Map([[line.item_id, quantity ?? line.quantity]])
}

const isMore = ({ lines }: Changeable, item: string, quantity: number): boolean =>
  quantity > (lines.find(({ item_id }) => item_id === item)?.quantity ?? 0)

/** The items of which there are to be more pieces. */
export const addedTo = (order: Changeable, wanted: Wanted): readonly string[] =>
  [...wanted].flatMap(([item, quantity]) => (isMore(order, item, quantity) ? item : []))

/** What so many pieces of a line have cost. */
const share = (pieces: number, quantity: number, cost: number): number =>
  Number((BigInt(cost) * BigInt(pieces)) / BigInt(quantity))

/** The lines of an order, and what those have cost together of which that is not known one by one: of one that follows. */
const splitUp = ({ lines, total_cost }: Changeable): { readonly lines: readonly Line[]; readonly rest: number } => {
  const rest = lines.reduce((left, { cost }) => left - (cost ?? 0), total_cost)
  const isOne = lines.filter(({ cost }) => cost === null).length === 1
  return isOne ? { lines: lines.map((line) => ({ ...line, cost: line.cost ?? rest })), rest: 0 } : { lines, rest }
}

/**
 * Changes an order. A sum beyond 2^53 is rounded: see `isExact`.
 * @param prices those of the items of which there are to be more pieces
 * @returns an item instead, if pieces of it are to leave and it is unknown what they have cost
 */
export const changedBy = (
  order: Changeable,
  wanted: Wanted,
  prices: ReadonlyMap<string, number>,
): Changed | { readonly unknownCost: string } => {
  const { lines: before, rest } = splitUp(order)
  const unknown = before.filter(({ cost }) => cost === null)
  const isUnknownGone = unknown.length > 0 && unknown.every(({ item_id }) => wanted.get(item_id) === 0)
  const added = addedTo(order, wanted)
    .filter((item) => before.every(({ item_id }) => item_id !== item))
    .map((item_id) => ({ item_id, quantity: 0, cost: 0 }))
  const lines = new Map<string, number>()
  const costs = new Map<string, number>()
  let total = order.total_cost - (isUnknownGone ? rest : 0)
  for (const { item_id: item, quantity, cost } of [...before, ...added]) {
    const after = wanted.get(item) ?? quantity
    if (after < quantity && cost === null && !isUnknownGone) return { unknownCost: item }
    const more = Math.max(after - quantity, 0) * (prices.get(item) ?? 0)
    const less = after < quantity && cost !== null ? share(quantity - after, quantity, cost) : 0
    total += more - less
    if (after === 0) continue
    lines.set(item, after)
    if (cost !== null) costs.set(item, cost + more - less)
  }
  return { lines, costs, total }
}
