/**
 * Kill -9 of one part or another in the middle of 200 checkouts, of which some are refused for stock and some for credit.
 *
 * 32 customers repeat what was not answered, or answered with "not now", as people do, until they know. Whatever was
 * killed comes back after a moment; then everything settles, each customer has the answer that is due, every answer that
 * was ever given is still true, and no write that was acknowledged is missing or there twice.
 */

import test, { type ExecutionContext } from 'ava'
import type { Part } from '../../env/local/managed-process.ts'
import { SERVICES } from '../../shared/contract/services.ts'
import { settle } from '../support/checker/invariants.ts'
import { away } from '../support/eventually.ts'
import { during } from '../support/faults/catalogue.ts'
import { daily } from '../support/faults/daily.ts'
import { survive } from '../support/faults/survive.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test)

const SERVICE_AWAY_MS = 1_000
const REDIS_AWAY_MS = 2_000
/** A lock whose process died before it began a checkout lasts for its TTL. */
const LOCKS_MS = 4_000

const surviveCrash = async (t: ExecutionContext, victims: readonly Part[], awayMs: number): Promise<void> => {
  t.timeout(80_000)
  const { shop } = opened()
  const others = shop.parts.filter((part) => !victims.includes(part)).map(({ name, pid }) => ({ name, pid }))
  await survive(t, opened(), {
    disturb: () =>
      during(
        'kill',
        victims.map((part) => ({ part })),
        () => away(awayMs),
      ),
    expectations: { locksMs: 'unchecked' },
  })
  t.deepEqual(
    shop.parts.filter((part) => !victims.includes(part)).map(({ name, pid }) => ({ name, pid })),
    others,
    'nobody else had to be restarted',
  )
}

for (const role of daily([...SERVICES, 'gateway'] as const, 1))
  test.serial(`survives kill -9 of ${role}`, (t) =>
    surviveCrash(t, role === 'gateway' ? [opened().shop.gateway] : opened().shop.services[role], SERVICE_AWAY_MS),
  )

for (const service of daily(SERVICES, 1))
  test.serial(`survives kill -9 of the Redis of ${service}`, (t) =>
    surviveCrash(t, [opened().shop.part(`${service}-redis`)], REDIS_AWAY_MS),
  )

test.serial('survives kill -9 of everything at once', (t) => surviveCrash(t, opened().shop.parts, SERVICE_AWAY_MS))

test.serial('leaves no lock behind, once those of the dead have expired', async (t) => {
  await t.notThrowsAsync(settle(opened(), { locksMs: LOCKS_MS }))
})
