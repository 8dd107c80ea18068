/** HTTP in, words out: the routes of order. */
import { randomInt } from 'node:crypto'
import { nanoid } from 'nanoid'
import { impossible, MalformedError, NeighbourError, sumTooLarge } from '../shared/errors.ts'
import type { Answer } from '../shared/http/answer.ts'
import { BATCH_MAX, inChunks } from '../shared/http/chunks.ts'
import type { Neighbour } from '../shared/http/client.ts'
import { type Problem, problem } from '../shared/http/problem.ts'
import { keyReused } from '../shared/http/problems.ts'
import { amount, identifier, type Request } from '../shared/http/request.ts'
import type { Route } from '../shared/http/route.ts'
import type { Once, Reply } from '../shared/redis/script.ts'
import type { Audit } from './audit/audit.ts'
import type { Checkouts } from './checkout/checkout.ts'
import {
  alreadyDecided,
  answerOf,
  cannotRefund,
  noSuchCheckout,
  noSuchOrder,
  notContradicted,
  notOpen,
  orderFull,
} from './order.ts'
import { LINES_MAX, type Store } from './store.ts'

export type Neighbours = { readonly payment: Neighbour; readonly stock: Neighbour }

const noSuchUser = (user: string): Answer => ({
  problem: problem(404, 'no-such-user', 'Unknown user', `there is no user "${user}"`, { user_id: user }),
})
const noSuchItem = (item: string): Answer => ({
  problem: problem(404, 'no-such-item', 'Unknown item', `there is no item "${item}"`, { item_id: item }),
})

const created = ([word, order_id, log_id]: Reply): Answer =>
  word === 'key-reused' ? { problem: keyReused() } : { json: { order_id, log_id } }

/** What is told of a line is what was done with it: under a key, the item may have another price by now. */
const added = (request: Request, [word, detail = 'a price of before']: Reply): Answer => {
  const order = request.parameter('order')
  switch (word) {
    case 'added':
      return { text: `${request.parameter('quantity')} of ${request.parameter('item')} added at ${detail}` }
    case 'unknown':
      return { problem: noSuchOrder(order) }
    case 'closed':
      return { problem: notOpen(order, detail) }
    case 'full':
      return { problem: orderFull(order, LINES_MAX) }
    case 'too-much':
      return sumTooLarge('quantity')
    case 'key-reused':
      return { problem: keyReused() }
    default:
      return impossible('order.add_item', word)
  }
}

/**
 * Has a request done that a neighbour must be asked for first. What was done under its key is told without asking, and what
 * was done meanwhile, by another replica, is told instead of a refusal.
 * @param find what is asked; `undefined` if the neighbour knows no such thing
 */
const onceFound = async <Found>(
  store: Store,
  request: Once,
  find: () => Promise<Found | undefined>,
  act: (found: Found) => Promise<Reply>,
): Promise<Reply | undefined> => {
  const known = await store.recall(request)
  if (known) return known
  try {
    const found = await find()
    return await (found === undefined ? store.refuse(request) : act(found))
  } catch (error) {
    const done = error instanceof NeighbourError ? await store.refuse(request) : undefined
    if (done) return done
    throw error
  }
}

/** Asks for what there is under a path, if there is. @throws NeighbourError */
const found = async (neighbour: Neighbour, path: string, { requestId }: Request): Promise<unknown> => {
  const { status, data } = await neighbour.ask('get', path, { requestId })
  return status === 200 ? data : undefined
}

/** The most characters of a reason. */
const WHY_MAX = 200

/** What speaks against a refund: that payment or stock does not know any more what it has done of the checkout. */
const forgottenBy = async (logId: string, neighbours: Neighbours, authorization: string | undefined) => {
  for (const name of ['payment', 'stock'] as const) {
    const { status, data } = await neighbours[name].ask('get', `/${name}/saga/${logId}`, { authorization })
    if (status === 404) return cannotRefund(logId, `${name} has forgotten what it did of it`)
    if (status !== 200) return data as Problem
    if (name === 'payment' && (data as { state: string }).state !== 'captured') return undefined
  }
  return undefined
}

/** Ends a contradiction as a person wishes. */
const resolve = async (store: Store, neighbours: Neighbours, request: Request): Promise<Answer> => {
  const logId = identifier(request, 'log_id')
  const by = request.parameter('by')
  if (by !== 'refund' && by !== 'accept') throw new MalformedError('by', '"by" must be "refund" or "accept"')
  const why = (request.query('why') ?? '').trim().toWellFormed()
  if (why.length > WHY_MAX || (by === 'accept' && why === ''))
    throw new MalformedError('why', `"why" must say in up to ${WHY_MAX} characters why it is accepted, or refunded`)
  const { idempotencyKey, fingerprint, isGone } = request
  const once = { idempotencyKey, fingerprint: `${fingerprint}?why=${encodeURIComponent(why)}`, isGone }
  let objection: Problem | undefined
  const reply = await onceFound(
    store,
    once,
    async () => {
      // What payment has undone needs nobody's memory: only what it still has must be known there.
      const isAtOthers = by === 'refund' && (await store.contradictedBy(logId))?.startsWith('told-')
      objection = isAtOthers ? await forgottenBy(logId, neighbours, request.authorization) : undefined
      return objection === undefined ? logId : undefined
    },
    () => store.resolve(logId, { by, why }, once),
  )
  if (reply === undefined) return { problem: objection ?? impossible('order.resolve.refused') }
  const [word, state = ''] = reply
  switch (word) {
    case 'resolved':
    case 'repeated':
      return { json: { log_id: logId, done: by, state, repeated: word === 'repeated' } }
    case 'consistent':
      return { problem: notContradicted(logId, state) }
    case 'replaced':
      return { problem: cannotRefund(logId, 'its order was made anew since') }
    case 'unknown':
      return { problem: noSuchCheckout(logId) }
    case 'key-reused':
      return { problem: keyReused() }
    default:
      return impossible('order.resolve', word)
  }
}

export const routes = (store: Store, checkouts: Checkouts, neighbours: Neighbours, audit: Audit): readonly Route[] => [
  {
    method: 'POST',
    path: '/orders/create/:user',
    handler: async (request) => {
      const user = identifier(request, 'user')
      const reply = await onceFound(
        store,
        request,
        () => found(neighbours.payment, `/payment/find_user/${user}`, request),
        () => store.create(nanoid(), user, request),
      )
      return reply ? created(reply) : noSuchUser(user)
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
    shownAt: '/orders/find/:order',
    handler: async (request) => {
      const order = identifier(request, 'order')
      const item = identifier(request, 'item')
      const quantity = amount(request, 'quantity', { min: 1 })
      const reply = await onceFound(
        store,
        request,
        async () => (await found(neighbours.stock, `/stock/find/${item}`, request)) as { price: number } | undefined,
        ({ price }) => store.addItem({ order, item, quantity, price }, request),
      )
      return reply ? added(request, reply) : noSuchItem(item)
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
          return { problem: keyReused() }
        default:
          return impossible('order.cancel', word)
      }
    },
  },
  {
    method: 'GET',
    path: '/orders/contradictions',
    operator: true,
    handler: async () => ({ json: { contradictions: await store.contradicted() } }),
  },
  {
    method: 'POST',
    path: '/orders/resolve/:log_id/:by',
    operator: true,
    handler: (request) => resolve(store, neighbours, request),
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
      return inChunks(request, n, `${n} orders initialised`, store.log.claim, (first, last, once) =>
        store.initOrders({ first, last, items, users, price, seed: randomInt(2 ** 31) }, once),
      )
    },
  },
  {
    method: 'GET',
    path: '/audit',
    operator: true,
    handler: ({ authorization, requestId }) => audit({ authorization, requestId }),
  },
]
