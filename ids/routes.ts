/** HTTP in, words out: the routes of ids. */

import { keyReused } from '../shared/http/answer.ts'
import { identifier } from '../shared/http/request.ts'
import type { Route } from '../shared/http/route.ts'
import type { Identifiers } from '../shared/log/log-id.ts'
import type { Store } from './store.ts'

export const routes = (store: Store, identifiers: Identifiers): readonly Route[] => [
  {
    method: 'GET',
    path: '/ids/create',
    handler: async (request) => {
      const made = identifiers.next()
      if (request.idempotencyKey === undefined) return { text: made }
      const [word, given] = await store.give(made, request)
      return word === 'key-reused' ? keyReused : { text: given ?? made }
    },
  },
  {
    // Asked by the other services only: the gateway has no such prefix.
    method: 'POST',
    path: '/internal/lease/:replica',
    handler: async (request) => ({ json: { block: await store.lease(identifier(request, 'replica')) } }),
  },
]
