/**
 * How is an order placed whole?
 *
 * The prices of its items are asked for first, all at once; then one command makes the order with all its lines. If that does not
 * know its user, payment is asked for them. If anything speaks against it, nothing is made. Under a key the first answer is given
 * again, whatever has become of the order.
 */
import { nanoid } from 'nanoid'
import { parseLines } from '../shared/contract/lines.ts'
import { isWithin, offerOf } from '../shared/contract/methods.ts'
import { unreachable } from '../shared/errors.ts'
import { LOG_ID_HEADER } from '../shared/http/answer.ts'
import { isAnothers } from '../shared/http/owner.ts'
import { keyReused } from '../shared/http/problems.ts'
import type { AnswerTo, Given, Handler } from '../shared/http/route.ts'
import type { api } from './api.ts'
import * as commands from './commands.ts'
import { isExact, listed, sumOf } from './costs.ts'
import { type Drafts, WAIT_MS } from './drafts/drafts.ts'
import { type Asked, forCustomer, offerIn, onceFound, type Peers } from './peers.ts'
import { methodLimits, noSuchUser, priceChanged, sumTooLargeIn } from './problems.ts'
import { FIRST_VERSION, headersOf, shownOf } from './shown.ts'
import type { PaidBy } from './store/cart.ts'
import type { Store } from './store.ts'

type Placing = Given<typeof api.placeOrder>
type Objection =
  | 'no-such-user'
  | 'no-such-item'
  | 'item-withdrawn'
  | 'price-changed'
  | 'method-limits'
  | 'malformed-body'

/** An item has one line, however often it is named. */
const linesOf = ({ lines, item_id, quantity }: Placing['body']): ReadonlyMap<string, number> => {
  const pieces = new Map<string, number>()
  const all = lines ?? (item_id === undefined || quantity === undefined ? [] : [{ item_id, quantity }])
  for (const line of all) pieces.set(line.item_id, (pieces.get(line.item_id) ?? 0) + line.quantity)
  return pieces
}

/** How it is to be paid, if that is said: at once, unless instalments are. */
const paidByOf = ({ body: { method, installments = 1 } }: Placing): PaidBy | undefined =>
  method === undefined ? undefined : { method, installments }

/** What each line costs, and all of them. */
type Costs = { readonly costs: string; readonly total: number }

/** What the lines cost, or what speaks against the order. */
const askCosts = async (
  pieces: ReadonlyMap<string, number>,
  request: Placing,
  { findItems }: Peers,
): Promise<Asked<Costs, Objection>> => {
  const { lines, value } = request.body
  const paidBy = paidByOf(request)
  const items = await findItems(pieces.keys(), request)
  const costs: (readonly [item: string, cost: number])[] = []
  for (const [item, quantity] of pieces) {
    const offer = offerIn(items, item)
    if ('problem' in offer) return offer
    const { price } = offer.found
    if (value !== undefined && value !== price) return { problem: priceChanged(item, price) }
    costs.push([item, quantity * price])
  }
  const total = sumOf(costs.map(([, cost]) => cost))
  if (![...pieces.values(), ...costs.map(([, cost]) => cost), total].every(isExact)) {
    const field = lines === undefined ? 'quantity' : 'lines'
    return { problem: sumTooLargeIn(field) }
  }
  const offer = paidBy && offerOf(paidBy.method, paidBy.installments)
  if (offer && !isWithin(offer, total)) return { problem: methodLimits(offer, total) }
  return { found: { costs: listed(costs), total } }
}

/** The order as it was placed; with the draft of its invoice, if payment has made that. */
const placed = (
  request: Placing,
  lines: string,
  result: readonly [result: 'placed', order: string, logId: string, number: string, at: string, costs: string],
  isDrafted: boolean,
): AnswerTo<typeof api.placeOrder> => {
  const [, order, logId, number, at, costs] = result
  const total = String(sumOf(parseLines(costs).map(([, cost]) => cost)))
  const { user_id: user, method } = request.body
  const installments = paidByOf(request)?.installments.toString()
  const draft = isDrafted ? `${FIRST_VERSION}:${total}` : undefined
  const made = { order, user, status: 'open', total, lines, costs, number, at, method, installments }
  const shown = shownOf({ ...made, billed: String(FIRST_VERSION), draft })
  const headers = { Location: `/orders/${order}`, [LOG_ID_HEADER]: logId, ...headersOf(shown) }
  return { status: 201, json: { id: order, ...shown }, headers }
}

export const placeFrom =
  (store: Store, drafts: Pick<Drafts, 'wait'>, peers: Peers): Handler<typeof api.placeOrder> =>
  async (request) => {
    const user = request.body.user_id
    if (isAnothers(user, request.owner)) return { problem: noSuchUser(user) }
    const pieces = linesOf(request.body)
    const lines = listed(pieces)
    const place = (found: Costs) => {
      const order = { order: nanoid(), user, lines, ...found, ...paidByOf(request) }
      return forCustomer(store, peers, commands.place, user, request, (customer) =>
        store.place({ ...order, ...customer }, request),
      )
    }
    const result = await onceFound(store, request, commands.place, () => askCosts(pieces, request, peers), place)
    if ('problem' in result) return result
    switch (result[0]) {
      case 'placed': {
        const isDrafted = await drafts.wait({ order: result[1], version: FIRST_VERSION }, WAIT_MS, request.closing)
        return placed(request, lines, result, isDrafted)
      }
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return unreachable('order.place', result)
    }
  }
