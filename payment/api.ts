/** What can be asked of payment? */
import * as v from 'valibot'
import { identifier, integer } from '../shared/contract/fields.ts'
import { INSTALLMENTS_MAX, METHOD_NAMES } from '../shared/contract/methods.ts'
import { payment as queries } from '../shared/contract/queries.ts'
import { BATCH_MAX } from '../shared/http/chunks.ts'
import { inUse, keyReused } from '../shared/http/problems.ts'
import type { Rows } from '../shared/http/route.ts'
import { api as documents } from './documents/api.ts'
import { creditHeld, methodLimits, noSuchUser, outOfCredit } from './problems.ts'

const method = v.object({
  method: v.string(),
  installments_max: v.number(),
  min: v.number(),
  max: v.number(),
  installment_min: v.number(),
})

export const api = {
  createUser: {
    method: 'POST',
    path: '/payment/create_user',
    summary: 'Makes a user without credit; for a customer, the one that it is, if it is not there yet',
    answers: { 200: { json: v.object({ user_id: v.string(), log_id: v.nullable(v.string()) }) } },
    problems: [keyReused],
    repeatable: 'under-a-key',
    scope: 'customer',
  },
  findUser: {
    ...queries.findUser,
    summary: 'Shows the credit of a user',
    problems: [noSuchUser],
    repeatable: 'as-it-is',
    scope: 'customer',
  },
  findUsers: {
    ...queries.findUsers,
    summary: 'Shows the credit of those of many users that there are',
    problems: [],
    repeatable: 'as-it-is',
    scope: 'merchant',
  },
  addFunds: {
    method: 'POST',
    path: '/payment/add_funds/{user}/{amount}',
    summary: 'Adds to the credit of a user',
    params: { user: identifier, amount: integer(1) },
    answers: { 200: { text: 'how much was added' } },
    fenced: true,
    problems: [noSuchUser, keyReused],
    repeatable: 'under-a-key',
    scope: 'merchant',
    shownAt: '/payment/find_user/{user}',
  },
  pay: {
    method: 'POST',
    path: '/payment/pay/{user}/{amount}',
    summary: 'Takes from the credit of a user, for no order',
    params: { user: identifier, amount: integer(1) },
    answers: { 200: { text: 'how much was paid' } },
    fenced: true,
    problems: [noSuchUser, outOfCredit, creditHeld, keyReused],
    repeatable: 'under-a-key',
    scope: 'customer',
    shownAt: '/payment/find_user/{user}',
  },
  listMethods: {
    method: 'GET',
    path: '/payment/methods',
    summary: 'Shows by which methods an order may be paid, in how many instalments, and what it may cost then',
    answers: { 200: { json: v.array(method) } },
    problems: [],
    repeatable: 'as-it-is',
    scope: 'anybody',
  },
  showPlan: {
    method: 'GET',
    path: '/payment/plan',
    summary: 'Shows what is due with each instalment, to the unit',
    query: {
      amount: integer(1),
      method: v.picklist(METHOD_NAMES, `be one of ${METHOD_NAMES.join(', ')}`),
      installments: v.optional(integer(1, INSTALLMENTS_MAX), '1'),
    },
    answers: { 200: { json: v.object({ installments: v.array(v.number()), total: v.number() }) } },
    problems: [methodLimits],
    repeatable: 'as-it-is',
    scope: 'anybody',
  },
  initUsers: {
    method: 'POST',
    path: '/payment/batch_init/{n}/{starting_money}',
    summary: 'Makes the users 0 to n-1 anew',
    params: { n: integer(1, BATCH_MAX), starting_money: integer(0) },
    answers: { 200: { json: v.object({ msg: v.string() }) } },
    problems: [inUse, keyReused],
    repeatable: 'under-a-key',
    scope: 'operator',
  },
  ...documents,
  audit: {
    ...queries.audit,
    summary: 'Adds up all wallets, and holds the sum against the books',
    problems: [],
    repeatable: 'as-it-is',
    scope: 'operator',
  },
  cutAudit: {
    ...queries.cutAudit,
    summary: 'Shows what the books say now, and at which entries',
    problems: [],
    repeatable: 'as-it-is',
    scope: 'operator',
  },
} as const satisfies Rows
