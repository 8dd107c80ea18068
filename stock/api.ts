/** What can be asked of stock? */
import * as v from 'valibot'
import { exactly, identifier, integer, units } from '../shared/contract/fields.ts'
import { item, stock as queries } from '../shared/contract/queries.ts'
import { BATCH_MAX } from '../shared/http/chunks.ts'
import { inUse, keyReused, stale } from '../shared/http/problems.ts'
import type { Rows } from '../shared/http/route.ts'
import { noSuchItem, outOfStock } from './problems.ts'

/** What is not said stays as it is. */
const change = v.pipe(
  exactly({ price: v.optional(units(0)), withdrawn: v.optional(v.boolean('be true or false')) }),
  v.check(
    ({ price, withdrawn }) => price !== undefined || withdrawn !== undefined,
    'say a price, or whether it is withdrawn',
  ),
)

export const api = {
  createItem: {
    method: 'POST',
    path: '/stock/item/create/{price}',
    summary: 'Makes an item of which there is none yet',
    params: { price: integer(0) },
    answers: { 200: { json: v.object({ item_id: v.string(), log_id: v.string() }) } },
    problems: [keyReused],
    repeatable: 'under-a-key',
    scope: 'merchant',
  },
  findItem: {
    ...queries.findItem,
    summary: 'Shows how many of an item there are, and what one costs',
    problems: [noSuchItem],
    repeatable: 'as-it-is',
    scope: 'customer',
  },
  showItem: {
    ...queries.showItem,
    summary: 'Shows on what terms an item is sold',
    problems: [noSuchItem],
    repeatable: 'as-it-is',
    scope: 'customer',
  },
  showItems: {
    ...queries.showItems,
    summary: 'Shows on what terms those of many items are sold that there are',
    problems: [],
    repeatable: 'as-it-is',
    scope: 'customer',
  },
  changeItem: {
    method: 'PATCH',
    path: '/stock/item/{item}',
    summary: 'Changes the price of an item, or takes it out of the range and back into it',
    params: { item: identifier },
    body: { fields: change },
    answers: { 200: { json: item }, 204: { empty: true } },
    ifMatch: 'required',
    fenced: true,
    problems: [noSuchItem, stale, keyReused],
    repeatable: 'under-a-key',
    scope: 'merchant',
    shownAt: '/stock/item/{item}',
  },
  addStock: {
    method: 'POST',
    path: '/stock/add/{item}/{amount}',
    summary: 'Puts more of an item on the shelf',
    params: { item: identifier, amount: integer(1) },
    answers: { 200: { text: 'how many were added' } },
    fenced: true,
    problems: [noSuchItem, keyReused],
    repeatable: 'under-a-key',
    scope: 'merchant',
    shownAt: '/stock/find/{item}',
  },
  subtractStock: {
    method: 'POST',
    path: '/stock/subtract/{item}/{amount}',
    summary: 'Takes some of an item off the shelf',
    params: { item: identifier, amount: integer(1) },
    answers: { 200: { text: 'how many were subtracted' } },
    fenced: true,
    problems: [noSuchItem, outOfStock, keyReused],
    repeatable: 'under-a-key',
    scope: 'merchant',
    shownAt: '/stock/find/{item}',
  },
  initItems: {
    method: 'POST',
    path: '/stock/batch_init/{n}/{starting_stock}/{item_price}',
    summary: 'Makes the items 0 to n-1 anew',
    params: { n: integer(1, BATCH_MAX), starting_stock: integer(0), item_price: integer(0) },
    answers: { 200: { json: v.object({ msg: v.string() }) } },
    problems: [inUse, keyReused],
    repeatable: 'under-a-key',
    scope: 'operator',
  },
  audit: {
    ...queries.audit,
    summary: 'Adds up all shelves, and holds the sum against the books',
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
