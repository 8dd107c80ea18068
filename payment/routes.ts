/** HTTP in, results out: the routes of payment. */
import { setTimeout as after } from 'node:timers/promises'
import { nanoid } from 'nanoid'
import { isWithin, METHODS, offerOf, planOf } from '../shared/contract/methods.ts'
import { MalformedError, sumTooLarge, unreachable } from '../shared/errors.ts'
import { AGAIN } from '../shared/http/answer.ts'
import { inChunks } from '../shared/http/chunks.ts'
import { isAnothers } from '../shared/http/owner.ts'
import { keyReused } from '../shared/http/problems.ts'
import { type Handler, type Route, routes } from '../shared/http/route.ts'
import { auditRoutes } from '../shared/operator/audit-routes.ts'
import { api } from './api.ts'
import { partOf } from './audit.ts'
import { handlersOf } from './documents/routes.ts'
import { creditHeld, methodLimits, noSuchUser, outOfCredit } from './problems.ts'
import type { Store } from './store.ts'

/** How long a payment waits for money that a checkout holds: it comes free, or is taken, within milliseconds. */
const HELD_TIMEOUT_MS = 2_000
const HELD_RETRY_MS = 20

const payFrom =
  (store: Store): Handler<typeof api.pay> =>
  async (request) => {
    const { user, amount } = request.params
    if (isAnothers(user, request.owner)) return { problem: noSuchUser(user) }
    const deadline = performance.now() + HELD_TIMEOUT_MS
    for (;;) {
      const result = await store.pay(user, amount, request)
      switch (result[0]) {
        case 'paid':
          return { text: `${amount} paid` }
        case 'out-of-credit':
          return { problem: outOfCredit(user) }
        case 'unknown':
          return { problem: noSuchUser(user) }
        case 'key-reused':
          return { problem: keyReused() }
        case 'held':
          if (performance.now() > deadline) return { problem: creditHeld(user), headers: AGAIN }
          await after(HELD_RETRY_MS)
          break
        default:
          return unreachable('payment.pay', result)
      }
    }
  }

const showPlan: Handler<typeof api.showPlan> = async ({ query: { amount, method, installments } }) => {
  const offer = offerOf(method, installments)
  if (offer === undefined)
    throw new MalformedError('installments', `"installments" must not be more than ${method} has`)
  if (!isWithin(offer, amount)) return { problem: methodLimits(offer) }
  return { json: { installments: planOf(amount, installments), total: amount } }
}

export const routesOf = (store: Store): readonly Route[] => [
  ...routes(api, {
    createUser: async (request) => {
      const result = await store.createUser(request.owner ?? nanoid(), request)
      switch (result[0]) {
        case 'created':
          return { json: { user_id: result[1], log_id: result[2] } }
        case 'exists':
          return { json: { user_id: result[1], log_id: null } }
        case 'key-reused':
          return { problem: keyReused() }
        default:
          return unreachable('payment.create_user', result)
      }
    },
    findUser: async ({ params: { user }, owner }) => {
      const found = isAnothers(user, owner) ? undefined : await store.find(user)
      return found ? { json: found } : { problem: noSuchUser(user) }
    },
    findUsers: async ({ query: { ids } }) => {
      const found = await Promise.all(ids.map(store.find))
      return { json: { users: found.flatMap((user) => user ?? []) } }
    },
    addFunds: async (request) => {
      const { user, amount } = request.params
      const result = await store.addFunds(user, amount, request)
      switch (result[0]) {
        case 'added':
          return { text: `${amount} added` }
        case 'unknown':
          return { problem: noSuchUser(user) }
        case 'too-much':
          return sumTooLarge('amount')
        case 'key-reused':
          return { problem: keyReused() }
        default:
          return unreachable('payment.add_funds', result)
      }
    },
    pay: payFrom(store),
    listMethods: async () => ({ json: METHODS }),
    showPlan,
    initUsers: async (request) => {
      const { n, starting_money: money } = request.params
      if (n * money > Number.MAX_SAFE_INTEGER) return sumTooLarge('starting_money')
      return inChunks(request, n, `${n} users initialised`, store.log.claim, (first, last, once) =>
        store.initUsers(first, last, money, once),
      )
    },
    ...handlersOf(store),
    audit: async () => {
      // First: what has a series by then has its documents in the count.
      const series = await store.series()
      return { json: await partOf(store.auditor, await store.auditor.count(), series) }
    },
    cutAudit: async () => {
      const { at, heard, hears, ledger, open } = await store.auditor.cut()
      return { json: { at, heard, hears, open, added: String(ledger('added')), charged: String(ledger('charged')) } }
    },
  }),
  ...auditRoutes('/payment', store.auditor),
]
