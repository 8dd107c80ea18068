/** HTTP in, words out: the routes of payment. */
import { setTimeout as after } from 'node:timers/promises'
import { nanoid } from 'nanoid'
import { sumTooLarge, unreachable } from '../shared/errors.ts'
import { BATCH_MAX, inChunks } from '../shared/http/chunks.ts'
import { type Answer, amount, identifier, keyReused, type Route } from '../shared/http/server.ts'
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
      const result = await store.pay(user, money, once)
      switch (result[0]) {
        case 'paid':
          return { text: `${money} paid` }
        case 'out-of-credit':
          return { problem: outOfCredit(user) }
        case 'unknown':
          return { problem: noSuchUser(user) }
        case 'key-reused':
          return keyReused
        case 'held':
          if (performance.now() > patience) return { problem: creditHeld(user), headers: { 'Retry-After': '1' } }
          await after(HELD_RETRY_MS)
          break
        default:
          return unreachable('payment.pay', result)
      }
    }
  }

  return [
    {
      method: 'POST',
      path: '/payment/create_user',
      handler: async (request) => {
        const result = await store.createUser(nanoid(), request)
        switch (result[0]) {
          case 'created':
            return { json: { user_id: result[1], log_id: result[2] } }
          case 'key-reused':
            return keyReused
          default:
            return unreachable('payment.create_user', result)
        }
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
        const result = await store.addFunds(user, money, request)
        switch (result[0]) {
          case 'added':
            return { text: `${money} added` }
          case 'unknown':
            return { problem: noSuchUser(user) }
          case 'too-much':
            return sumTooLarge('amount')
          case 'key-reused':
            return keyReused
          default:
            return unreachable('payment.add_funds', result)
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
