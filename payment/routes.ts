/** HTTP in, words out: the routes of payment. */
import { setTimeout as after } from 'node:timers/promises'
import { nanoid } from 'nanoid'
import { impossible, sumTooLarge } from '../shared/errors.ts'
import type { Answer } from '../shared/http/answer.ts'
import { BATCH_MAX, inChunks } from '../shared/http/chunks.ts'
import { keyReused } from '../shared/http/problems.ts'
import { amount, identifier } from '../shared/http/request.ts'
import type { Route } from '../shared/http/route.ts'
import { auditRoutes } from '../shared/operator/audit-routes.ts'
import { ACCOUNTS, partOf } from './audit.ts'
import type { Store } from './store.ts'
import { creditHeld, noSuchUser, outOfCredit } from './user.ts'

/** How long a payment waits for money that a checkout holds: it comes free, or is taken, within milliseconds. */
const HELD_PATIENCE_MS = 2_000
const HELD_RETRY_MS = 20

export const routes = (store: Store): readonly Route[] => {
  const pay = async (
    user: string,
    money: number,
    once: { fingerprint: string; idempotencyKey: string | undefined },
  ): Promise<Answer> => {
    const patience = performance.now() + HELD_PATIENCE_MS
    for (;;) {
      const [word] = await store.pay(user, money, once)
      switch (word) {
        case 'paid':
          return { text: `${money} paid` }
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

  return [
    {
      method: 'POST',
      path: '/payment/create_user',
      handler: async (request) => {
        const [word, user_id, log_id] = await store.createUser(nanoid(), request)
        return word === 'key-reused' ? { problem: keyReused() } : { json: { user_id, log_id } }
      },
    },
    {
      method: 'GET',
      path: '/payment/find_user/:user',
      handler: async (request) => {
        const id = identifier(request, 'user')
        const user = await store.find(id)
        return user ? { json: user } : { problem: noSuchUser(id) }
      },
    },
    {
      method: 'POST',
      path: '/payment/add_funds/:user/:amount',
      shownAt: '/payment/find_user/:user',
      handler: async (request) => {
        const user = identifier(request, 'user')
        const money = amount(request, 'amount', { min: 1 })
        const [word] = await store.addFunds(user, money, request)
        switch (word) {
          case 'added':
            return { text: `${money} added` }
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
    },
    {
      method: 'POST',
      path: '/payment/pay/:user/:amount',
      shownAt: '/payment/find_user/:user',
      handler: async (request) => pay(identifier(request, 'user'), amount(request, 'amount', { min: 1 }), request),
    },
    {
      method: 'POST',
      path: '/payment/batch_init/:n/:starting_money',
      operator: true,
      handler: async (request) => {
        const n = amount(request, 'n', { min: 1, max: BATCH_MAX })
        const money = amount(request, 'starting_money', { min: 0 })
        if (n * money > Number.MAX_SAFE_INTEGER) return sumTooLarge('starting_money')
        return inChunks(request, n, `${n} users initialised`, store.log.claim, (first, last, once) =>
          store.initUsers(first, last, money, once),
        )
      },
    },
    ...auditRoutes({
      prefix: '/payment',
      auditor: store.auditor,
      accounts: ACCOUNTS,
      tell: (count) => partOf(store.auditor, count),
    }),
  ]
}
