/** What can be asked of ids? */
import { ids as queries } from '../shared/contract/queries.ts'
import { keyReused } from '../shared/http/problems.ts'
import type { Rows } from '../shared/http/route.ts'

export const api = {
  createId: {
    method: 'GET',
    path: '/ids/create',
    summary: 'Makes an id; under an Idempotency-Key the same one again',
    answers: { 200: { text: 'the id' } },
    problems: [keyReused],
    repeatable: 'as-it-is',
    scope: 'customer',
  },
  // Asked by the other services only: the gateway has no such prefix.
  leaseBlock: {
    ...queries.leaseBlock,
    summary: 'Leases a block of log ids to a replica; the same one again to the same replica',
    problems: [],
    repeatable: 'as-it-is',
    scope: 'service',
  },
} as const satisfies Rows
