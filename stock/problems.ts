/** What does stock refuse? */
import { problemKind } from '../shared/http/problem.ts'

export const noSuchItem = problemKind(404, 'no-such-item', 'Unknown item', (item: string) => ({
  detail: `there is no item "${item}"`,
  item_id: item,
}))

export const outOfStock = problemKind(409, 'out-of-stock', 'Out of stock', (item: string) => ({
  detail: `item "${item}" has not that many in stock`,
  item_id: item,
}))
