/** HTTP in, results out: the routes of stock. */
import { nanoid } from 'nanoid'
import { sumTooLarge, unreachable } from '../shared/errors.ts'
import { inChunks } from '../shared/http/chunks.ts'
import { etagOf } from '../shared/http/etag.ts'
import { keyReused, staleAnswer } from '../shared/http/problems.ts'
import { type AnswerTo, type Route, routes } from '../shared/http/route.ts'
import { auditRoutes } from '../shared/operator/audit-routes.ts'
import type { ResultOnce } from '../shared/redis/command.ts'
import { api } from './api.ts'
import { goneBy, partOf } from './audit.ts'
import type { changeItem } from './commands.ts'
import type { Offer } from './item.ts'
import { noSuchItem, outOfStock } from './problems.ts'
import type { Store } from './store.ts'

const offerOf = (item: string, offer: Offer | undefined) => offer && { item_id: item, ...offer }

/** A client that has a copy must ask whether it is still true. */
const shown = (item: string, offer: Offer) => ({
  json: { item_id: item, ...offer },
  headers: { ETag: etagOf(offer.version), 'Cache-Control': 'no-cache' },
})

const changed = (item: string, result: ResultOnce<typeof changeItem>): AnswerTo<typeof api.changeItem> => {
  switch (result[0]) {
    case 'changed': {
      const [, price, withdrawn, version] = result
      return shown(item, { price: Number(price), withdrawn: withdrawn === 'yes', version: Number(version) })
    }
    case 'stale':
      return staleAnswer(Number(result[1]))
    case 'unknown':
      return { problem: noSuchItem(item) }
    case 'key-reused':
      return { problem: keyReused() }
    default:
      return unreachable('stock.change_item', result)
  }
}

export const routesOf = (store: Store): readonly Route[] => [
  ...routes(api, {
    createItem: async (request) => {
      const result = await store.createItem(nanoid(), request.params.price, request)
      switch (result[0]) {
        case 'created':
          return { json: { item_id: result[1], log_id: result[2] } }
        case 'key-reused':
          return { problem: keyReused() }
        default:
          return unreachable('stock.create_item', result)
      }
    },
    findItem: async ({ params: { item } }) => {
      const found = await store.find(item)
      return found ? { json: found } : { problem: noSuchItem(item) }
    },
    showItem: async ({ params: { item } }) => {
      const offer = await store.offer(item)
      return offer ? shown(item, offer) : { problem: noSuchItem(item) }
    },
    showItems: async ({ query: { ids } }) => {
      const offers = await Promise.all(ids.map(store.offer))
      return { json: { items: ids.flatMap((item, at) => offerOf(item, offers[at]) ?? []) } }
    },
    changeItem: async (request) => {
      const { item } = request.params
      return changed(item, await store.changeItem(item, request.ifMatch, request.body, request))
    },
    addStock: async (request) => {
      const { item, amount } = request.params
      const result = await store.add(item, amount, request)
      switch (result[0]) {
        case 'added':
          return { text: `${amount} added` }
        case 'unknown':
          return { problem: noSuchItem(item) }
        case 'too-much':
          return sumTooLarge('amount')
        case 'key-reused':
          return { problem: keyReused() }
        default:
          return unreachable('stock.add', result)
      }
    },
    subtractStock: async (request) => {
      const { item, amount } = request.params
      const result = await store.subtract(item, amount, request)
      switch (result[0]) {
        case 'subtracted':
          return { text: `${amount} subtracted` }
        case 'out-of-stock':
          return { problem: outOfStock(item) }
        case 'unknown':
          return { problem: noSuchItem(item) }
        case 'key-reused':
          return { problem: keyReused() }
        default:
          return unreachable('stock.subtract', result)
      }
    },
    initItems: async (request) => {
      const { n, starting_stock: stock, item_price: price } = request.params
      if (n * stock > Number.MAX_SAFE_INTEGER) return sumTooLarge('starting_stock')
      return inChunks(request, n, `${n} items initialised`, store.log.claim, (first, last, once) =>
        store.initItems(first, last, stock, price, once),
      )
    },
    audit: async () => ({ json: await partOf(store.auditor, await store.auditor.count()) }),
    cutAudit: async () => {
      const { at, heard, hears, ledger } = await store.auditor.cut()
      return { json: { at, heard, hears, added: String(ledger('added')), ...goneBy(ledger) } }
    },
  }),
  ...auditRoutes('/stock', store.auditor),
]
