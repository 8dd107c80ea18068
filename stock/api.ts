/** What can be asked of stock? */
import * as v from 'valibot'
import { identifier, integer } from '../shared/contract/fields.ts'
import { stock as queries } from '../shared/contract/queries.ts'
import { BATCH_MAX } from '../shared/http/chunks.ts'
import { inUse, keyReused } from '../shared/http/problems.ts'
import type { Rows } from '../shared/http/route.ts'
import { noSuchItem, outOfStock } from './problems.ts'

export const api = {
  createItem: {
    method: 'POST',
    path: '/stock/item/create/{price}',
    summary: 'Makes an item of which there is none yet',
    params: { price: integer(0) },
    answers: { 200: { json: v.object({ item_id: v.string(), log_id: v.string() }) } },
    problems: [keyReused],
    repeatable: 'under-a-key',
  },
  findItem: {
    ...queries.findItem,
    summary: 'Shows how many of an item there are, and what one costs',
    problems: [noSuchItem],
    repeatable: 'as-it-is',
  },
  addStock: {
    method: 'POST',
    path: '/stock/add/{item}/{amount}',
    summary: 'Puts more of an item on the shelf',
    params: { item: identifier, amount: integer(1) },
    answers: { 200: { text: 'how many were added' } },
    problems: [noSuchItem, keyReused],
    repeatable: 'under-a-key',
    shownAt: '/stock/find/{item}',
  },
  subtractStock: {
    method: 'POST',
    path: '/stock/subtract/{item}/{amount}',
    summary: 'Takes some of an item off the shelf',
    params: { item: identifier, amount: integer(1) },
    answers: { 200: { text: 'how many were subtracted' } },
    problems: [noSuchItem, outOfStock, keyReused],
    repeatable: 'under-a-key',
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
    operator: true,
  },
  audit: {
    ...queries.audit,
    summary: 'Adds up all shelves, and holds the sum against the books',
    problems: [],
    repeatable: 'as-it-is',
    operator: true,
  },
  cutAudit: {
    ...queries.cutAudit,
    summary: 'Shows what the books say now, and at which entries',
    problems: [],
    repeatable: 'as-it-is',
    operator: true,
  },
} as const satisfies Rows
