/**
 * What is an item, and what can be refused of one?
 *
 * An item has a price and a number in stock. There are no reservations: what is shown is what can be had.
 */
import { type Problem, problem } from '../shared/http/problem.ts'

export type Item = { readonly stock: number; readonly price: number }

export const noSuchItem = (item: string): Problem =>
  problem(404, 'no-such-item', 'Unknown item', `there is no item "${item}"`, { item_id: item })

export const outOfStock = (item: string): Problem =>
  problem(409, 'out-of-stock', 'Out of stock', `item "${item}" has not that many in stock`, { item_id: item })
