/** HTTP in, words out: the routes of order. */
import { randomInt } from 'node:crypto'
import { nanoid } from 'nanoid'
import { BATCH_MAX, inChunks } from '../shared/batch.ts'
import { impossible, problem, sumTooLarge } from '../shared/errors.ts'
import { amount, identifier, keyReused, type Route } from '../shared/http.ts'
import type { Neighbour } from '../shared/neighbour.ts'
import type { Audit } from './audit.ts'
import type { Checkouts } from './checkout.ts'
import { alreadyDecided, answerOf, noSuchCheckout, noSuchOrder, notOpen, orderFull } from './order.ts'
import { LINES_MAX, type Store } from './store.ts'

export type Neighbours = { readonly payment: Neighbour; readonly stock: Neighbour }

export const routes = (store: Store, checkouts: Checkouts, neighbours: Neighbours, audit: Audit): readonly Route[] => [
  {
    method: 'POST',
    path: '/orders/create/:user',
    handler: async (request) => {
      const user = identifier(request, 'user')
      const { status } = await neighbours.payment.ask('get', `/payment/find_user/${user}`)
      if (status !== 200)
        return {
          problem: problem(404, 'no-such-user', 'Unknown user', `there is no user "${user}"`, { user_id: user }),
        }
      const [word, order_id, log_id] = await store.create(nanoid(), user, request)
      return word === 'key-reused' ? keyReused : { json: { order_id, log_id } }
    },
  },
  {
    method: 'GET',
    path: '/orders/find/:order',
    handler: async (request) => {
      const id = identifier(request, 'order')
      const order = await store.find(id)
      return order ? { json: order } : { problem: noSuchOrder(id) }
    },
  },
  {
    method: 'POST',
    path: '/orders/addItem/:order/:item/:quantity',
    handler: async (request) => {
      const order = identifier(request, 'order')
      const item = identifier(request, 'item')
      const quantity = amount(request, 'quantity', { min: 1 })
      const { status, data } = await neighbours.stock.ask('get', `/stock/find/${item}`)
      if (status !== 200)
        return {
          problem: problem(404, 'no-such-item', 'Unknown item', `there is no item "${item}"`, { item_id: item }),
        }
      const { price } = data as { price: number }
      const [word, state = ''] = await store.addItem({ order, item, quantity, price }, request)
      switch (word) {
        case 'added':
          return { text: `${quantity} of ${item} added at ${price}` }
        case 'unknown':
          return { problem: noSuchOrder(order) }
        case 'closed':
          return { problem: notOpen(order, state) }
        case 'full':
          return { problem: orderFull(order, LINES_MAX) }
        case 'too-much':
          return sumTooLarge('quantity')
        case 'key-reused':
          return keyReused
        default:
          return impossible('order.add_item', word)
      }
    },
  },
  {
    method: 'POST',
    path: '/orders/checkout/:order',
    handler: async (request) => {
      const order = identifier(request, 'order')
      return answerOf(order, await checkouts.checkout(order, request))
    },
  },
  {
    method: 'GET',
    path: '/orders/checkouts/:order',
    operator: true,
    handler: async (request) => {
      const order = identifier(request, 'order')
      const log_ids = await store.checkoutsOf(order)
      return log_ids ? { json: { order_id: order, log_ids } } : { problem: noSuchOrder(order) }
    },
  },
  {
    method: 'POST',
    path: '/orders/cancel/:log_id',
    operator: true,
    handler: async (request) => {
      const logId = identifier(request, 'log_id')
      const reply = await store.revoke(logId, request)
      const decided = store.decidedBy(reply)
      if (decided) checkouts.onDecided(decided)
      const [word] = reply
      switch (word) {
        case 'cancelled':
          return { json: { log_id: logId, done: word } }
        case 'decided':
          return { problem: alreadyDecided(logId, decided?.state ?? '') }
        case 'unknown':
          return { problem: noSuchCheckout(logId) }
        case 'key-reused':
          return keyReused
        default:
          return impossible('order.cancel', word)
      }
    },
  },
  {
    method: 'POST',
    path: '/orders/batch_init/:n/:n_items/:n_users/:item_price',
    operator: true,
    handler: async (request) => {
      const n = amount(request, 'n', { min: 1, max: BATCH_MAX })
      const items = amount(request, 'n_items', { min: 1, max: BATCH_MAX })
      const users = amount(request, 'n_users', { min: 1, max: BATCH_MAX })
      const price = amount(request, 'item_price', { min: 0 })
      if (2 * price > Number.MAX_SAFE_INTEGER) return sumTooLarge('item_price')
      return inChunks(request, n, `${n} orders initialised`, (first, last, once) =>
        store.initOrders({ first, last, items, users, price, seed: randomInt(2 ** 31) }, once),
      )
    },
  },
  {
    method: 'GET',
    path: '/audit',
    operator: true,
    handler: ({ authorization }) => audit(authorization),
  },
]
