/** HTTP in, results out: the routes of order. */
import { randomInt } from 'node:crypto'
import { nanoid } from 'nanoid'
import { offerOf } from '../shared/contract/methods.ts'
import { payment, stock } from '../shared/contract/queries.ts'
import { impossible, MalformedError, sumTooLarge, unreachable } from '../shared/errors.ts'
import { AGAIN } from '../shared/http/answer.ts'
import { inChunks } from '../shared/http/chunks.ts'
import { isAnothers } from '../shared/http/owner.ts'
import { keyReused } from '../shared/http/problems.ts'
import { type AnswerTo, type Given, type Handler, type Route, routes } from '../shared/http/route.ts'
import type { Remembered, ResultOnce } from '../shared/redis/command.ts'
import { api, WHY_FORM } from './api.ts'
import type { Audit } from './audit/audit.ts'
import { answerOf, shownAs, submittedAnswerOf } from './checkout/answer.ts'
import type { Checkouts } from './checkout/checkout.ts'
import { isUnderWay } from './checkout/submit.ts'
import * as commands from './commands.ts'
import type { Drafts } from './drafts/drafts.ts'
import { openFeed } from './events/feed.ts'
import { formRoutes } from './forms/forms.ts'
import { LINES_MAX } from './order.ts'
import { forCustomer, offerIn, onceFound, type Peers } from './peers.ts'
import { placeFrom } from './place.ts'
import {
  alreadyDecided,
  cannotRefund,
  methodLimits,
  noCheckout,
  noSuchCheckout,
  noSuchOrder,
  noSuchUser,
  notContradicted,
  notOpen,
  orderCancelled,
  orderExpired,
  orderFull,
  tooManyListeners,
} from './problems.ts'
import { headersOf } from './shown.ts'
import type { Store } from './store.ts'

const created = (result: Remembered<typeof commands.createOrder.returns>): AnswerTo<typeof api.createOrder> => {
  switch (result[0]) {
    case 'created':
      return { json: { order_id: result[1], log_id: result[2] } }
    case 'key-reused':
      return { problem: keyReused() }
    default:
      return unreachable('order.create', result)
  }
}

/** Why nothing can be added to an order. */
const closedBy = (order: string, status: string) => {
  if (status === 'cancelled') return orderCancelled(order)
  return status === 'expired' ? orderExpired(order) : notOpen(order, status)
}

/** The answer shows a line as it was added: under a key, the item may have another price by now. */
const added = (
  { params: { order, item, quantity } }: Given<typeof api.addItem>,
  result: ResultOnce<typeof commands.addItem>,
): AnswerTo<typeof api.addItem> => {
  switch (result[0]) {
    case 'added':
      return { text: `${quantity} of ${item} added at ${result[1] ?? 'a price of before'}` }
    case 'unknown':
      return { problem: noSuchOrder(order) }
    case 'closed':
      return { problem: closedBy(order, result[1]) }
    case 'full':
      return { problem: orderFull(order, LINES_MAX) }
    case 'too-much':
      return sumTooLarge('quantity')
    case 'beyond': {
      const [, method, installments, total] = result
      const offer = offerOf(method, Number(installments)) ?? impossible('order.method', result)
      return { problem: methodLimits(offer, Number(total)) }
    }
    // It was said within which limits.
    case 'bounded':
      return impossible('order.add_item', result)
    case 'key-reused':
      return { problem: keyReused() }
    default:
      return unreachable('order.add_item', result)
  }
}

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
    const result = await onceFound(
      store,
      request,
      commands.resolve,
      async () => {
        // What payment has undone needs no memory: only what it still has must be known there.
        const isAtOthers = by === 'refund' && (await store.contradictedBy(logId))?.startsWith('told-')
        const problem = isAtOthers ? await forgottenBy(logId, peers, request.authorization) : undefined
        return problem ? { problem } : { found: logId }
      },
      () => store.resolve(logId, { by, why }, request),
    )
    if ('problem' in result) return result
    switch (result[0]) {
      case 'resolved':
      case 'repeated':
        return { json: { log_id: logId, done: by, state: result[1], repeated: result[0] === 'repeated' } }
      case 'consistent':
        return { problem: notContradicted(logId, result[1]) }
      case 'replaced':
        return { problem: cannotRefund(logId, 'its order was made anew since') }
      case 'partly-refunded':
        return { problem: cannotRefund(logId, 'a part of its order was refunded before') }
      case 'amended':
        return { problem: cannotRefund(logId, 'its order was changed after it was paid') }
      case 'unknown':
        return { problem: noSuchCheckout(logId) }
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return unreachable('order.resolve', result)
    }
  }

const cancelFrom =
  (store: Store, checkouts: Checkouts): Handler<typeof api.cancelCheckout> =>
  async (request) => {
    const { log_id: logId } = request.params
    const result = await store.revoke(logId, request)
    switch (result[0]) {
      case 'cancelled':
        checkouts.onDecided(result[1])
        return { json: { log_id: logId, done: 'cancelled' } }
      case 'decided':
        checkouts.onDecided(result[1])
        return { problem: alreadyDecided(logId, result[1].state) }
      case 'unknown':
        return { problem: noSuchCheckout(logId) }
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return unreachable('order.cancel', result)
    }
  }

/** The longest wait for the end of a checkout: shorter than a gateway waits. */
const WAIT_MAX_S = 25
const waitMsOf = (waitS = 0): number => Math.min(waitS, WAIT_MAX_S) * 1_000

const showCheckoutFrom =
  (store: Store, checkouts: Checkouts): Handler<typeof api.showCheckout> =>
  async ({ params: { order }, headers: { prefer }, owner, isGone, closing }) => {
    const waitMs = waitMsOf(prefer.waitS)
    const shown = await store.checkoutOf(order, { owner })
    const isWaitedFor = waitMs > 0 && typeof shown === 'object' && isUnderWay(shown)
    if (isWaitedFor) await checkouts.watch(shown.id, waitMs, { isGone, closing })
    const found = isWaitedFor ? await store.checkoutOf(order, { isTold: true, owner }) : shown
    if (found === 'unknown') return { problem: noSuchOrder(order) }
    if (found === undefined) return { problem: noCheckout(order) }
    const applied = waitMs > 0 ? { 'Preference-Applied': `wait=${waitMs / 1_000}` } : {}
    return { json: shownAs(found), headers: applied }
  }

const listenFrom = (store: Store): Handler<typeof api.listenToOrder> => {
  const feed = openFeed({ log: store.log, store })
  return async ({ params: { order }, headers: { 'last-event-id': seen }, owner, closing }) => {
    const found = await store.find(order, owner)
    if (found === undefined) return { problem: noSuchOrder(order) }
    const { user_id: user } = found
    if (!feed.hasRoom(user)) return { problem: tooManyListeners(), headers: AGAIN }
    return { events: (stream) => feed.listen({ order, user }, seen, stream, closing) }
  }
}

/** What is listed of a user who is unknown. */
const NO_ORDERS = { total: 0, orders: [], next: null } as const

/** Where the next page is, if there is one: what was asked, from its cursor on. */
const linkTo = (next: string | null, asked: Readonly<Record<string, string | number | undefined>>) => {
  if (next === null) return {}
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...asked, after: next }))
    if (value !== undefined) query.append(name, String(value))
  return { Link: `</orders?${query}>; rel="next"` }
}

const listFrom =
  (store: Store): Handler<typeof api.listOrders> =>
  async ({ query: { user: wanted, status, after, offset, limit }, owner }) => {
    const user = wanted ?? owner
    if (user === undefined) throw new MalformedError('user', '"user" must be given')
    if (after !== undefined && offset !== undefined)
      throw new MalformedError('offset', '"offset" must not be given together with "after"')
    if (isAnothers(user, owner)) return { json: { ...NO_ORDERS, offset: offset ?? 0, limit } }
    const page = await store.list({ user, status, after, offset: offset ?? 0, limit })
    return { json: { ...page, limit }, headers: linkTo(page.next, { user, status, limit }) }
  }

export const routesOf = (
  store: Store,
  checkouts: Checkouts,
  drafts: Pick<Drafts, 'wait'>,
  peers: Peers,
  audit: Audit,
): readonly Route[] => [
  ...formRoutes(store, checkouts.place),
  ...routes(api, {
    createOrder: async (request) => {
      const { user } = request.params
      if (isAnothers(user, request.owner)) return { problem: noSuchUser(user) }
      const order = nanoid()
      const result = await forCustomer(store, peers, commands.createOrder, user, request, (customer) =>
        store.create(order, user, request, customer),
      )
      return 'problem' in result ? result : created(result)
    },
    findOrder: async ({ params: { order }, owner }) => {
      const shown = await store.find(order, owner)
      return shown ? { json: shown } : { problem: noSuchOrder(order) }
    },
    placeOrder: placeFrom(store, drafts, peers),
    showOrder: async ({ params: { order }, owner }) => {
      const shown = await store.show(order, owner)
      return shown ? { json: shown, headers: headersOf(shown) } : { problem: noSuchOrder(order) }
    },
    listOrders: listFrom(store),
    addItem: async (request) => {
      const { order, item, quantity } = request.params
      const result = await onceFound(
        store,
        request,
        commands.addItem,
        async () => offerIn(await peers.findItems([item], request), item),
        ({ price }) => store.addItem({ order, item, quantity, price }, request),
      )
      return 'problem' in result ? result : added(request, result)
    },
    checkout: async (request) => {
      const { order } = request.params
      const { respondAsync, waitS } = request.headers.prefer
      return respondAsync
        ? submittedAnswerOf(order, await checkouts.submit(order, request, waitMsOf(waitS)))
        : answerOf(order, await checkouts.checkout(order, request))
    },
    showCheckout: showCheckoutFrom(store, checkouts),
    listenToOrder: listenFrom(store),
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
  }),
]
