/**
 * How is an order placed whole?
 *
 * Its user and the prices of its items are asked for first, all at once; then one command makes the order with all its lines. If anything
 * speaks against it, nothing is made. Under a key the first answer is given again, whatever has become of the order.
 */
import { nanoid } from 'nanoid'
import { parseLines } from '../shared/contract/events.ts'
import { payment, stock } from '../shared/contract/queries.ts'
import { impossible, unreachable } from '../shared/errors.ts'
import { LOG_ID_HEADER } from '../shared/http/answer.ts'
import { keyReused, malformedBody } from '../shared/http/problems.ts'
import type { AnswerTo, Given, Handler } from '../shared/http/route.ts'
import type { api } from './api.ts'
import * as commands from './commands.ts'
import { known, onceFound, type Peers } from './peers.ts'
import { itemWithdrawn, noSuchItem, noSuchUser, priceChanged } from './problems.ts'
import { headersOf, shownOf } from './shown.ts'
import type { Store } from './store.ts'

type Placing = Given<typeof api.placeOrder>

/** An item has one line, however often it is named. */
const linesOf = ({ lines, item_id, quantity }: Placing['body']): ReadonlyMap<string, number> => {
  const pieces = new Map<string, number>()
  const all = lines ?? (item_id === undefined || quantity === undefined ? [] : [{ item_id, quantity }])
  for (const line of all) pieces.set(line.item_id, (pieces.get(line.item_id) ?? 0) + line.quantity)
  return pieces
}

const listed = (amounts: Iterable<readonly [item: string, amount: number]>): string =>
  Array.from(amounts, ([item, amount]) => `${item}:${amount}`).join(',')

const sumOf = (amounts: readonly number[]): number => amounts.reduce((sum, amount) => sum + amount, 0)

/** A sum that a number does not hold exactly is beyond what it can be; the sums of one that is are not looked at. */
const isExact = (amount: number): boolean => amount <= Number.MAX_SAFE_INTEGER

/** What the lines cost, or what speaks against the order. */
const costsOf = async (pieces: ReadonlyMap<string, number>, { body, requestId }: Placing, peers: Peers) => {
  const [user, ...items] = await Promise.all([
    peers.payment.ask(payment.findUser, { params: { user: body.user_id }, requestId }),
    ...Array.from(pieces.keys(), (item) => peers.stock.ask(stock.showItem, { params: { item }, requestId })),
  ])
  if (known(user) === undefined) return { problem: noSuchUser(body.user_id) }
  const costs: (readonly [item: string, cost: number])[] = []
  for (const [at, [item, quantity]] of [...pieces].entries()) {
    const answer = items[at]
    const found = answer && known(answer)
    if (found === undefined) return { problem: noSuchItem(item) }
    if (found.withdrawn) return { problem: itemWithdrawn(item) }
    if (body.value !== undefined && body.value !== found.price) return { problem: priceChanged(item, found.price) }
    costs.push([item, quantity * found.price])
  }
  const total = sumOf(costs.map(([, cost]) => cost))
  if (![...pieces.values(), ...costs.map(([, cost]) => cost), total].every(isExact)) {
    const field = body.lines === undefined ? 'quantity' : 'lines'
    return { problem: malformedBody(field, `"${field}" makes a sum beyond ${Number.MAX_SAFE_INTEGER}`) }
  }
  return { costs: listed(costs), total }
}

const placed = (
  { body: { user_id: user } }: Placing,
  lines: string,
  result: readonly [word: 'placed', order: string, logId: string, number: string, at: string, costs: string],
): AnswerTo<typeof api.placeOrder> => {
  const [, order, logId, number, at, costs] = result
  const shown = shownOf({
    ...{ order, user, status: 'open', lines, costs, number, at },
    total: String(sumOf(parseLines(costs).map(([, cost]) => cost))),
    ...{
      version: undefined,
      updated: undefined,
      saga: undefined,
      state: undefined,
      reason: undefined,
      item: undefined,
    },
  })
  const headers = { Location: `/orders/${order}`, [LOG_ID_HEADER]: logId, ...headersOf(shown) }
  return { status: 201, json: { id: order, ...shown }, headers }
}

export const placeFrom =
  (store: Store, peers: Peers): Handler<typeof api.placeOrder> =>
  async (request) => {
    const user = request.body.user_id
    const pieces = linesOf(request.body)
    const lines = listed(pieces)
    let objection: Exclude<Awaited<ReturnType<typeof costsOf>>['problem'], undefined> | undefined
    const result = await onceFound(
      store,
      request,
      commands.place,
      async () => {
        const found = await costsOf(pieces, request, peers)
        objection = found.problem
        return found.problem === undefined ? found : undefined
      },
      ({ costs, total }) => store.place({ order: nanoid(), user, total, lines, costs }, request),
    )
    if (result === undefined) return { problem: objection ?? impossible('order.place.refused') }
    switch (result[0]) {
      case 'placed':
        return placed(request, lines, result)
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return unreachable('order.place', result)
    }
  }
