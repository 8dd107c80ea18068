/** HTTP in, words out: the routes of stock. */
import { nanoid } from 'nanoid'
import { impossible, sumTooLarge } from '../shared/errors.ts'
import { BATCH_MAX, inChunks } from '../shared/http/chunks.ts'
import { keyReused } from '../shared/http/problems.ts'
import { amount, identifier } from '../shared/http/request.ts'
import type { Route } from '../shared/http/route.ts'
import { auditRoutes } from '../shared/operator/audit-routes.ts'
import { ACCOUNTS, partOf } from './audit.ts'
import { noSuchItem, outOfStock } from './item.ts'
import type { Store } from './store.ts'

export const routes = (store: Store): readonly Route[] => [
  {
    method: 'POST',
    path: '/stock/item/create/:price',
    handler: async (request) => {
      const [word, item_id, log_id] = await store.createItem(nanoid(), amount(request, 'price', { min: 0 }), request)
      return word === 'key-reused' ? { problem: keyReused() } : { json: { item_id, log_id } }
    },
  },
  {
    method: 'GET',
    path: '/stock/find/:item',
    handler: async (request) => {
      const id = identifier(request, 'item')
      const item = await store.find(id)
      return item ? { json: item } : { problem: noSuchItem(id) }
    },
  },
  {
    method: 'POST',
    path: '/stock/add/:item/:amount',
    shownAt: '/stock/find/:item',
    handler: async (request) => {
      const item = identifier(request, 'item')
      const pieces = amount(request, 'amount', { min: 1 })
      const [word] = await store.add(item, pieces, request)
      switch (word) {
        case 'added':
          return { text: `${pieces} added` }
        case 'unknown':
          return { problem: noSuchItem(item) }
        case 'too-much':
          return sumTooLarge('amount')
        case 'key-reused':
          return { problem: keyReused() }
        default:
          return impossible('stock.add', word)
      }
    },
  },
  {
    method: 'POST',
    path: '/stock/subtract/:item/:amount',
    shownAt: '/stock/find/:item',
    handler: async (request) => {
      const item = identifier(request, 'item')
      const pieces = amount(request, 'amount', { min: 1 })
      const [word] = await store.subtract(item, pieces, request)
      switch (word) {
        case 'subtracted':
          return { text: `${pieces} subtracted` }
        case 'out-of-stock':
          return { problem: outOfStock(item) }
        case 'unknown':
          return { problem: noSuchItem(item) }
        case 'key-reused':
          return { problem: keyReused() }
        default:
          return impossible('stock.subtract', word)
      }
    },
  },
  {
    method: 'POST',
    path: '/stock/batch_init/:n/:starting_stock/:item_price',
    operator: true,
    handler: async (request) => {
      const n = amount(request, 'n', { min: 1, max: BATCH_MAX })
      const stock = amount(request, 'starting_stock', { min: 0 })
      const price = amount(request, 'item_price', { min: 0 })
      if (n * stock > Number.MAX_SAFE_INTEGER) return sumTooLarge('starting_stock')
      return inChunks(request, n, `${n} items initialised`, store.log.claim, (first, last, once) =>
        store.initItems(first, last, stock, price, once),
      )
    },
  },
  ...auditRoutes({
    prefix: '/stock',
    auditor: store.auditor,
    accounts: ACCOUNTS,
    tell: (count) => partOf(store.auditor, count),
  }),
]
