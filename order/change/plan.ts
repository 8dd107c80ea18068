/** What is an order to become, and what speaks against that? Stock is asked what the pieces cost that are added. */
import { isWithin, offerOf } from '../../shared/contract/methods.ts'
import { malformedBody } from '../../shared/http/problems.ts'
import type { Given } from '../../shared/http/route.ts'
import { isExact } from '../costs.ts'
import { LINES_MAX } from '../order.ts'
import type { Asked, Peers } from '../peers.ts'
import {
  itemWithdrawn,
  linePricesUnknown,
  methodLimits,
  noSuchItem,
  nothingKept,
  orderEmpty,
  orderFull,
  priceChanged,
  sumTooLargeIn,
} from '../problems.ts'
import type { ShownOrder } from '../shown.ts'
import type { changes } from './api.ts'
import { addedTo, type Changed, changedBy, ofTheOnlyLine, type Wanted } from './change.ts'

export type Changing = Given<typeof changes.changeOrder>
export type Objection =
  | 'no-such-item'
  | 'item-withdrawn'
  | 'price-changed'
  | 'line-prices-unknown'
  | 'order-full'
  | 'method-limits'
  | 'order-empty'
  | 'malformed-body'

const wantedOf = (order: ShownOrder, { lines, quantity }: Changing['body']): Wanted | undefined =>
  lines ? new Map(lines.map((line) => [line.item_id, line.quantity])) : ofTheOnlyLine(order, quantity)

/** The prices of now of what is added. One that the customer has seen is held against that of now also if nothing is added. */
const askPrices = async (
  order: ShownOrder,
  wanted: Wanted,
  request: Changing,
  { findItems }: Peers,
): Promise<Asked<ReadonlyMap<string, number>, Objection>> => {
  const { value } = request.body
  const added = addedTo(order, wanted)
  const items = value === undefined ? added : [...wanted.keys()]
  const prices = new Map<string, number>()
  const offers = await findItems(items, request)
  for (const item of items) {
    const offer = offers.get(item)
    if (offer === undefined) return { problem: noSuchItem(item) }
    if (offer.withdrawn && added.includes(item)) return { problem: itemWithdrawn(item) }
    if (value !== undefined && value !== offer.price) return { problem: priceChanged(item, offer.price) }
    prices.set(item, offer.price)
  }
  return { found: prices }
}

/** What speaks against an amendment: all that a paid order has cost must be known, and something is to be left of it. */
const objectionToAmendment = ({ order_id, lines }: ShownOrder, changed: Changed) => {
  if (lines.length === 0) return orderEmpty(order_id)
  const unknown = lines.find(({ cost }) => cost === null)
  if (unknown) return linePricesUnknown(order_id, unknown.item_id)
  return changed.lines.size === 0 ? nothingKept(order_id) : undefined
}

/** What speaks against what the order would become. */
const limitOf = ({ order_id, method, installments }: ShownOrder, { lines, costs, total }: Changed, field: string) => {
  if (![...lines.values(), ...costs.values(), total].every(isExact)) return sumTooLargeIn(field)
  if (lines.size > LINES_MAX) return orderFull(order_id, LINES_MAX)
  const offer = method === null ? undefined : offerOf(method, installments ?? 1)
  return offer && lines.size > 0 && !isWithin(offer, total) ? methodLimits(offer, total) : undefined
}

/** What an order is to become. @throws PeerError */
export const planFor = async (
  order: ShownOrder,
  request: Changing,
  peers: Peers,
): Promise<Asked<Changed, Objection>> => {
  const field = request.body.lines ? 'lines' : 'quantity'
  const wanted = wantedOf(order, request.body)
  if (wanted === undefined)
    return { problem: malformedBody(field, `"${field}" must be of an order with one line; of this one say "lines"`) }
  const asked = await askPrices(order, wanted, request, peers)
  if ('problem' in asked) return asked
  const changed = changedBy(order, wanted, asked.found)
  if ('unknownCost' in changed) return { problem: linePricesUnknown(order.order_id, changed.unknownCost) }
  const problem = (order.paid ? objectionToAmendment(order, changed) : undefined) ?? limitOf(order, changed, field)
  return problem ? { problem } : { found: changed }
}
