/**
 * A Redis becomes a replica, and a master again, as an operator or a sentinel has it: reads that wait in it are broken off,
 * writes are refused. That is the world's doing, and no fault of the program: who depends on it is told so, no process
 * ends, nothing is asked twice, and afterwards all goes on.
 */

import test from 'ava'
import { SERVICES } from '../../shared/contract/services.ts'
import { away } from '../support/eventually.ts'
import { during } from '../support/faults/catalogue.ts'
import { daily, FULL } from '../support/faults/daily.ts'
import { survive } from '../support/faults/survive.ts'
import { openShop } from '../support/shop/shop.ts'

const REPLICA_MS = 1_500
const DEADLINE_MS = 4_000
const UNAVAILABLE_MS = 2_000
/** A lock whose holder could not reach its masters lasts for its TTL of 3 s. */
const LOCKS_MS = 4_000

for (const service of daily(SERVICES, 1))
  test(`no process ends when the Redis of ${service} becomes a replica, and a master again`, async (t) => {
    t.timeout(90_000)
    const died: string[] = []
    const opened = await openShop(t, {
      replicas: { order: 2 },
      env: { order: { CHECKOUT_DEADLINE_MS: String(DEADLINE_MS) } },
      onEvent: (event) => {
        if (event.type === 'died') died.push(`${event.part} ${event.how}: ${event.tail}`)
      },
    })
    const part = opened.shop.part(`${service}-redis`)
    await survive(t, opened, {
      orders: FULL ? 400 : 150,
      disturb: async () => {
        for (let time = 0; time < (FULL ? 10 : 2); time += 1) {
          await during('demote', [{ part }], () => away(REPLICA_MS))
          await away(300)
        }
      },
      answerMs: DEADLINE_MS + UNAVAILABLE_MS,
      expectations: { locksMs: LOCKS_MS },
    })
    t.deepEqual(died, [])
  })
