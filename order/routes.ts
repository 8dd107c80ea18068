/** HTTP in, words out: the routes of order. */
import { randomInt } from 'node:crypto'
import { nanoid } from 'nanoid'
import { impossible, MalformedError, NeighbourError, sumTooLarge } from '../shared/errors.ts'
import { inChunks } from '../shared/http/chunks.ts'
import type { Neighbour } from '../shared/http/client.ts'
import type { Problem } from '../shared/http/problem.ts'
import { keyReused } from '../shared/http/problems.ts'
import { type AnswerTo, type Given, type Handler, type Route, routes } from '../shared/http/route.ts'
import type { Once, Reply } from '../shared/redis/script.ts'
import { api, WHY_FORM } from './api.ts'
import type { Audit } from './audit/audit.ts'
import { answerOf } from './checkout/answer.ts'
import type { Checkouts } from './checkout/checkout.ts'
import {
  alreadyDecided,
  cannotRefund,
  noSuchCheckout,
  noSuchItem,
  noSuchOrder,
  noSuchUser,
  notContradicted,
  notOpen,
  orderFull,
} from './problems.ts'
import { LINES_MAX, type Store } from './store.ts'

export type Neighbours = { readonly payment: Neighbour; readonly stock: Neighbour }

/** What is told of a line is what was done with it: under a key, the item may have another price by now. */
const added = (
  { params: { order, item, quantity } }: Given<typeof api.addItem>,
  [word, detail = 'a price of before']: Reply,
): AnswerTo<typeof api.addItem> => {
  switch (word) {
    case 'added':
      return { text: `${quantity} of ${item} added at ${detail}` }
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
const found = async (
  neighbour: Neighbour,
  path: string,
  { requestId }: { readonly requestId: string | undefined },
): Promise<unknown> => {
  const { status, data } = await neighbour.ask('get', path, { requestId })
  return status === 200 ? data : undefined
}

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
const resolveFrom =
  (store: Store, neighbours: Neighbours): Handler<typeof api.resolveContradiction> =>
  async ({ params: { log_id: logId, by }, query: { why }, ...request }) => {
    if (by === 'accept' && why === '') throw new MalformedError('why', `"why" must ${WHY_FORM}`)
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

const cancelFrom =
  (store: Store, checkouts: Checkouts): Handler<typeof api.cancelCheckout> =>
  async (request) => {
    const { log_id: logId } = request.params
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
  }

export const routesOf = (store: Store, checkouts: Checkouts, neighbours: Neighbours, audit: Audit): readonly Route[] =>
  routes(api, {
    createOrder: async (request) => {
      const { user } = request.params
      const reply = await onceFound(
        store,
        request,
        () => found(neighbours.payment, `/payment/find_user/${user}`, request),
        () => store.create(nanoid(), user, request),
      )
      if (reply === undefined) return { problem: noSuchUser(user) }
      const [word, order_id = '', log_id = ''] = reply
      return word === 'key-reused' ? { problem: keyReused() } : { json: { order_id, log_id } }
    },
    findOrder: async ({ params: { order } }) => {
      const shown = await store.find(order)
      return shown ? { json: shown } : { problem: noSuchOrder(order) }
    },
    addItem: async (request) => {
      const { order, item, quantity } = request.params
      const reply = await onceFound(
        store,
        request,
        async () => (await found(neighbours.stock, `/stock/find/${item}`, request)) as { price: number } | undefined,
        ({ price }) => store.addItem({ order, item, quantity, price }, request),
      )
      return reply ? added(request, reply) : { problem: noSuchItem(item) }
    },
    checkout: async (request) => {
      const { order } = request.params
      return answerOf(order, await checkouts.checkout(order, request))
    },
    listCheckouts: async ({ params: { order } }) => {
      const log_ids = await store.checkoutsOf(order)
      return log_ids ? { json: { order_id: order, log_ids } } : { problem: noSuchOrder(order) }
    },
    cancelCheckout: cancelFrom(store, checkouts),
    listContradictions: async () => ({ json: { contradictions: await store.contradicted() } }),
    resolveContradiction: resolveFrom(store, neighbours),
    initOrders: async (request) => {
      const { n, n_items: items, n_users: users, item_price: price } = request.params
      if (2 * price > Number.MAX_SAFE_INTEGER) return sumTooLarge('item_price')
      return inChunks(request, n, `${n} orders initialised`, store.log.claim, (first, last, once) =>
        store.initOrders({ first, last, items, users, price, seed: randomInt(2 ** 31) }, once),
      )
    },
    audit: ({ authorization, requestId }) => audit({ authorization, requestId }),
  })
