/** HTTP in, results out: the routes of ids. */
import { unreachable } from '../shared/errors.ts'
import { keyReused } from '../shared/http/problems.ts'
import { type Route, routes } from '../shared/http/route.ts'
import type { Identifiers } from '../shared/log/log-id.ts'
import { api } from './api.ts'
import type { Store } from './store.ts'

export const routesOf = (store: Store, identifiers: Identifiers): readonly Route[] =>
  routes(api, {
    createId: async (request) => {
      const made = identifiers.next()
      if (request.idempotencyKey === undefined) return { text: made }
      const result = await store.give(made, request)
      switch (result[0]) {
        case 'given':
          return { text: result[1] }
        case 'key-reused':
          return { problem: keyReused() }
        default:
          return unreachable('ids.create', result)
      }
    },
    leaseBlock: async ({ params: { replica } }) => ({ json: { block: await store.lease(replica) } }),
  })
