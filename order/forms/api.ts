/**
 * What can form clients ask?
 *
 * They were made for another back end: one form is one order over one value, which is paid by one method at once or not at all.
 * They know fewer statuses than there are, an order's total as a text, and read in `error` why something was refused.
 */
import * as v from 'valibot'
import { exactly, identifier, integer, units } from '../../shared/contract/fields.ts'
import { keyReused } from '../../shared/http/problems.ts'
import type { Rows } from '../../shared/http/route.ts'
import { methodInvalid, noSuchOrder, noSuchUser, orderInvalid, tooManySubmitted } from '../problems.ts'

const FORM_STATUSES = ['OPEN', 'PROCESSING', 'APPROVED', 'CANCELED'] as const
export type FormStatus = (typeof FORM_STATUSES)[number]

const formOrder = v.object({
  id: v.string(),
  value: v.string(),
  user_id: v.string(),
  installment: v.nullable(v.number()),
  status: v.picklist(FORM_STATUSES),
  method: v.nullable(v.string()),
})
const offer = v.object({
  id: v.number(),
  method: v.string(),
  installments: v.number(),
  min: v.number(),
  max: v.number(),
})

/** The most orders of one page; a client that asks for more gets so many. */
const PAGE_MAX = 100
const pageSize = v.pipe(
  integer(1),
  v.transform((limit) => Math.min(limit, PAGE_MAX)),
)

const GIVEN = 'be given'
/** All four are wanted. Which methods there are, and in how many instalments, is no matter of form. */
const placed = exactly({
  value: units(1),
  user_id: identifier,
  installment: units(1),
  method: v.pipe(v.string(GIVEN), v.nonEmpty(GIVEN)),
})

export const forms = {
  placeFormOrder: {
    method: 'POST',
    path: '/api/orders',
    summary: 'Places an order over a value and has it paid, which is tried once; its status tells what became of it',
    body: { fields: placed, forms: true },
    answers: { 201: { json: formOrder } },
    problems: [noSuchUser, methodInvalid, orderInvalid, tooManySubmitted, keyReused],
    error: 'sentence',
    repeatable: 'under-a-key',
    scope: 'customer',
  },
  showFormOrder: {
    method: 'GET',
    path: '/api/order/{order}',
    summary: 'Shows an order to form clients',
    params: { order: identifier },
    answers: { 200: { json: formOrder } },
    problems: [noSuchOrder],
    error: 'sentence',
    repeatable: 'as-it-is',
    scope: 'customer',
  },
  listFormOrders: {
    method: 'GET',
    path: '/api/orders/{user}',
    summary: 'Shows the orders of a user to form clients, the newest first',
    params: { user: identifier },
    query: { offset: v.optional(integer(0), '0'), limit: v.optional(pageSize, `${PAGE_MAX}`) },
    answers: {
      200: {
        json: v.object({
          offset: v.number(),
          limit: v.number(),
          total: v.nullable(v.number()),
          orders: v.array(formOrder),
        }),
      },
    },
    problems: [],
    error: 'sentence',
    repeatable: 'as-it-is',
    scope: 'customer',
  },
  listOffers: {
    method: 'GET',
    path: '/api/methods',
    summary: 'Shows to form clients each method in each number of instalments, and what an order may cost then',
    answers: { 200: { json: v.array(offer) } },
    problems: [],
    error: 'sentence',
    repeatable: 'as-it-is',
    scope: 'anybody',
  },
} as const satisfies Rows
