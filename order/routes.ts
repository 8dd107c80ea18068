/** HTTP in, words out: the routes of order. */
import { randomInt } from 'node:crypto'
import { nanoid } from 'nanoid'
import { payment, stock } from '../shared/contract/queries.ts'
import { impossible, MalformedError, NeighbourError, sumTooLarge } from '../shared/errors.ts'
import { inChunks } from '../shared/http/chunks.ts'
import type { Peer, PeerAnswer, Query } from '../shared/http/client.ts'
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

export type Peers = { readonly payment: Peer; readonly stock: Peer }

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
 * Has a request done that a peer must be asked for first. What was done under its key is told without asking, and what
 * was done meanwhile, by another replica, is told instead of a refusal.
 * @param find what is asked; `undefined` if the peer knows no such thing
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

/** What a peer knows of a thing, if there is such a thing. */
const known = <Q extends Query>(answer: PeerAnswer<Q>) => ('json' in answer ? answer.json : undefined)

const showSaga = { payment: payment.showSaga, stock: stock.showSaga }

/** What speaks against a refund: that payment or stock does not know any more what it has done of the checkout. */
const forgottenBy = async (logId: string, peers: Peers, authorization: string | undefined) => {
  for (const name of ['payment', 'stock'] as const) {
    const answer = await peers[name].ask(showSaga[name], { params: { log_id: logId }, authorization })
    if ('problem' in answer)
      return answer.problem.status === 404
        ? cannotRefund(logId, `${name} has forgotten what it did of it`)
        : answer.problem
    if (name === 'payment' && answer.json.state !== 'captured') return undefined
  }
  return undefined
}

/** Ends a contradiction as a person wishes. */
const resolveFrom =
  (store: Store, peers: Peers): Handler<typeof api.resolveContradiction> =>
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
        objection = isAtOthers ? await forgottenBy(logId, peers, request.authorization) : undefined
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

export const routesOf = (store: Store, checkouts: Checkouts, peers: Peers, audit: Audit): readonly Route[] =>
  routes(api, {
    createOrder: async (request) => {
      const { params, requestId } = request
      const { user } = params
      const reply = await onceFound(
        store,
        request,
        async () => known(await peers.payment.ask(payment.findUser, { params: { user }, requestId })),
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
      const { params, requestId } = request
      const { order, item, quantity } = params
      const reply = await onceFound(
        store,
        request,
        async () => known(await peers.stock.ask(stock.findItem, { params: { item }, requestId })),
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
    resolveContradiction: resolveFrom(store, peers),
    initOrders: async (request) => {
      const { n, n_items: items, n_users: users, item_price: price } = request.params
      if (2 * price > Number.MAX_SAFE_INTEGER) return sumTooLarge('item_price')
      return inChunks(request, n, `${n} orders initialised`, store.log.claim, (first, last, once) =>
        store.initOrders({ first, last, items, users, price, seed: randomInt(2 ** 31) }, once),
      )
    },
    audit: ({ authorization, requestId }) => audit({ authorization, requestId }),
  })
