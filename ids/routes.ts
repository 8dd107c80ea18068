/** HTTP in, words out: the routes of ids. */
import { unreachable } from '../shared/errors.ts'
import { identifier, keyReused, type Route } from '../shared/http/server.ts'
import type { Identifiers } from '../shared/log/log-id.ts'
import type { Store } from './store.ts'

export const routes = (store: Store, identifiers: Identifiers): readonly Route[] => [
  {
    method: 'GET',
    path: '/ids/create',
    handler: async (request) => {
      const made = identifiers.next()
      if (request.idempotencyKey === undefined) return { text: made }
      const result = await store.give(made, request)
      switch (result[0]) {
        case 'given':
          return { text: result[1] }
        case 'key-reused':
          return keyReused
        default:
          return unreachable('ids.create', result)
      }
    },
  },
  {
    // Asked by the other services only: the gateway has no such prefix.
    method: 'POST',
    path: '/internal/lease/:replica',
    handler: async (request) => ({ json: { block: await store.lease(identifier(request, 'replica')) } }),
  },
]
