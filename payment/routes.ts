/** HTTP in, words out: the routes of payment. */
import { setTimeout as after } from 'node:timers/promises'
import { nanoid } from 'nanoid'
import { impossible, sumTooLarge } from '../shared/errors.ts'
import { inChunks } from '../shared/http/chunks.ts'
import { keyReused } from '../shared/http/problems.ts'
import { type Handler, type Route, routes } from '../shared/http/route.ts'
import { auditRoutes } from '../shared/operator/audit-routes.ts'
import { api } from './api.ts'
import { partOf } from './audit.ts'
import { creditHeld, noSuchUser, outOfCredit } from './problems.ts'
import type { Store } from './store.ts'

/** How long a payment waits for money that a checkout holds: it comes free, or is taken, within milliseconds. */
const HELD_PATIENCE_MS = 2_000
const HELD_RETRY_MS = 20

const payFrom =
  (store: Store): Handler<typeof api.pay> =>
  async (request) => {
    const { user, amount } = request.params
    const patience = performance.now() + HELD_PATIENCE_MS
    for (;;) {
      const [word] = await store.pay(user, amount, request)
      switch (word) {
        case 'paid':
          return { text: `${amount} paid` }
        case 'out-of-credit':
          return { problem: outOfCredit(user) }
        case 'unknown':
          return { problem: noSuchUser(user) }
        case 'key-reused':
          return { problem: keyReused() }
        case 'held':
          if (performance.now() > patience) return { problem: creditHeld(user), headers: { 'Retry-After': '1' } }
          await after(HELD_RETRY_MS)
          break
        default:
          return impossible('payment.pay', word)
      }
    }
  }

export const routesOf = (store: Store): readonly Route[] => [
  ...routes(api, {
    createUser: async (request) => {
      const [word, user_id = '', log_id = ''] = await store.createUser(nanoid(), request)
      return word === 'key-reused' ? { problem: keyReused() } : { json: { user_id, log_id } }
    },
    findUser: async ({ params: { user } }) => {
      const found = await store.find(user)
      return found ? { json: found } : { problem: noSuchUser(user) }
    },
    addFunds: async (request) => {
      const { user, amount } = request.params
      const [word] = await store.addFunds(user, amount, request)
      switch (word) {
        case 'added':
          return { text: `${amount} added` }
        case 'unknown':
          return { problem: noSuchUser(user) }
        case 'too-much':
          return sumTooLarge('amount')
        case 'key-reused':
          return { problem: keyReused() }
        default:
          return impossible('payment.add_funds', word)
      }
    },
    pay: payFrom(store),
    initUsers: async (request) => {
      const { n, starting_money: money } = request.params
      if (n * money > Number.MAX_SAFE_INTEGER) return sumTooLarge('starting_money')
      return inChunks(request, n, `${n} users initialised`, store.log.claim, (first, last, once) =>
        store.initUsers(first, last, money, once),
      )
    },
    audit: async () => ({ json: await partOf(store.auditor, await store.auditor.count()) }),
    cutAudit: async () => {
      const { at, heard, hears, books } = await store.auditor.cut()
      return { json: { at, heard, hears, added: String(books('added')), charged: String(books('charged')) } }
    },
  }),
  ...auditRoutes('/payment', store.auditor),
]
