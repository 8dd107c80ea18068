/**
 * Random histories of clients and faults, through the gateway, against what worlds explain and what the checker proves.
 *
 * `HISTORY_RUNS` is the number of histories of each kind, new ones each time; default: as many of those of the day as fit into
 * some seconds (with `FAULTS=full` new ones, for minutes). A failure prints a seed and a path; `HISTORY_SEED` and `HISTORY_PATH`
 * repeat it, and an empty path ends at the first failure, without shrinking it. A shop in which a history failed is not used
 * again, so that each attempt to shrink it begins anew.
 */
import process from 'node:process'
import test from 'ava'
import fc from 'fast-check'
import { startShop } from '../../env/local/shop.ts'
import { listening } from '../support/faults/crash-points.ts'
import { FULL, todaysSeed } from '../support/faults/daily.ts'
import { openFabric } from '../support/faults/proxy.ts'
import type { Shop as Seed } from '../support/schedule/steps.ts'
import { openClient } from '../support/shop/client.ts'
import { faultlessHistories, faultyHistories, repetitions, type Step } from './history-plans.ts'
import { play, type Tally } from './random-histories.ts'

const { HISTORY_RUNS: RUNS, HISTORY_SEED: SEED, HISTORY_PATH: PATH } = process.env
const LIMIT_MS = {
  faultless: FULL ? 60_000 : 8_000,
  faulty: FULL ? 400_000 : 16_000,
  repeated: FULL ? 400_000 : 16_000,
}
/** As long as it runs, AVA ends no other test either. */
const TIMEOUT_MS = FULL ? 1_200_000 : 180_000

/** Short, so that a history full of faults takes seconds. */
const HASTY = {
  order: { CHECKOUT_DEADLINE_MS: '1500', CHECKOUT_ASYNC_DEADLINE_MS: '2500', LOCK_TTL_MS: '800' },
  gateway: { GATEWAY_TIMEOUT_MS: '3000', GATEWAY_WAIT_MS: '1000' },
  all: { ...listening, LEASE_TTL_MS: '500', LOG_PARSER_CRON: '* * * * * *' },
}

const open = async () => {
  const fabric = openFabric()
  const shop = await startShop({ env: HASTY, replicas: { order: 2, payment: 2 }, route: fabric.route })
  const client = openClient(shop.url)
  const close = async (): Promise<void> => {
    client.close()
    for (const part of shop.parts) part.thaw()
    await shop.stop()
    await fabric.close()
  }
  return { fabric, opened: { shop, client, close }, close }
}

let current: Awaited<ReturnType<typeof open>> | undefined
test.after.always(async () => current?.close())

const parametersOf = (limitMs: number): fc.Parameters<[readonly [Seed, Step[]]]> => ({
  numRuns: Number(RUNS ?? 100_000),
  includeErrorInReport: true,
  endOnFailure: PATH !== undefined,
  ...(RUNS === undefined && SEED === undefined ? { interruptAfterTimeLimit: limitMs } : {}),
  ...(RUNS === undefined ? todaysSeed : {}),
  ...(SEED === undefined ? {} : { seed: Number(SEED) }),
  ...(PATH === undefined ? {} : { path: PATH }),
})

const newTally = (): Tally => ({
  histories: 0,
  requests: 0,
  audits: 0,
  paid: 0,
  changed: 0,
  stale: 0,
  refunded: 0,
  cancelled: 0,
  refused: 0,
  'not now': 0,
  unknown: 0,
  faults: 0,
})

const playIn = async (history: readonly [Seed, Step[]], tally: Tally): Promise<void> => {
  current ??= await open()
  const { opened, fabric, close } = current
  try {
    await play(opened, fabric, history, tally)
  } catch (error) {
    current = undefined
    await close()
    throw error
  }
}

const prove = async (histories: fc.Arbitrary<readonly [Seed, Step[]]>, limitMs: number): Promise<Tally> => {
  const tally = newTally()
  let playing = Promise.resolve()
  const property = fc.asyncProperty(histories, (history) => {
    playing = playIn(history, tally)
    return playing
  })
  current ??= await open()
  const details = await fc.check(property, parametersOf(limitMs))
  // When the time is over, fast-check leaves the last history to itself. On a slow machine it is the only one: to fast-check
  // a failure, here none, as long as it ends well.
  await playing
  const isOutOfTime = details.interrupted && details.counterexample === null
  if (details.failed && !isOutOfTime) throw new Error(fc.defaultReportMessage(details))
  return tally
}

test.serial(
  'while nothing is wrong, every answer is the one of a serial order, and the accounts balance at any moment',
  async (t) => {
    t.timeout(TIMEOUT_MS)
    const tally = await prove(faultlessHistories, LIMIT_MS.faultless)
    t.log(tally)
    t.true(tally.histories > 0 && tally.unknown === 0)
  },
)

test.serial('whatever dies, freezes or is cut off, some serial order explains every answer', async (t) => {
  t.timeout(TIMEOUT_MS)
  const tally = await prove(faultyHistories, LIMIT_MS.faulty)
  t.log(tally)
  t.true(tally.histories > 0)
})

test.serial(
  'whoever is asked again, or wakes up with what another was asked since, keeps to what was told',
  async (t) => {
    t.timeout(TIMEOUT_MS)
    const tally = await prove(repetitions, LIMIT_MS.repeated)
    t.log(tally)
    t.true(tally.histories > 0)
  },
)
