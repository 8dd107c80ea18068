/** The clocks of all services jump by an hour or a week: log parsers go on running, and nobody hangs or cries. */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type { Part } from '../../env/local/managed-process.ts'
import { SERVICES } from '../../shared/contract/services.ts'
import { proveInvariants } from '../support/checker/invariants.ts'
import { eventually } from '../support/eventually.ts'
import { lookInto } from '../support/shop/behind.ts'
import { shareShop } from '../support/shop/shop.ts'

const CLOCK = pathToFileURL(join(import.meta.dirname, '../support/faults/clock.ts')).href
const HOUR_MS = 3_600_000
const WEEK_MS = 7 * 24 * HOUR_MS
/** Log parsers run every second. */
const RUN_WITHIN_MS = 3_000
/** A service that does something else for as long as this hangs. */
const ANSWERED_WITHIN_MS = 1_500
const LINES_MAX = 10

const opened = shareShop(test, {
  env: {
    all: {
      NODE_OPTIONS: [process.env.NODE_OPTIONS, `--import=${CLOCK}`].filter(Boolean).join(' '),
      CLOCK_SHIFTS_MS: [0, -HOUR_MS, WEEK_MS].join(),
      TZ: 'Europe/Berlin',
      LOG_PARSER_CRON: '* * * * * *',
    },
  },
})

const replicas = (): Part[] => SERVICES.flatMap((service) => [...opened().shop.services[service]])
const linesOf = async ({ logFile }: Part): Promise<number> => (await readFile(logFile, 'utf8')).split('\n').length

/** Leaves something in the index of unfinished ones that the next run takes out of it, and waits for that. */
const assertParserRuns = async (t: ExecutionContext, service: 'order' | 'payment'): Promise<void> => {
  const redis = lookInto(opened().shop.part(`${service}-redis`), t)
  for (const run of ['first', 'second'])
    await t.notThrowsAsync(async () => {
      await redis.zadd('sagas:open', 1, run)
      await eventually(async () => assert.equal(await redis.zscore('sagas:open', run), null), RUN_WITHIN_MS)
    }, `the ${run} run of ${service} came`)
}

for (const name of ['back an hour', 'ahead a week and an hour', 'back a week'])
  test.serial(`the clocks are set ${name}: log parsers run on`, async (t) => {
    const lines = await Promise.all(replicas().map(linesOf))
    // Not to be awaited: it survives this signal.
    for (const part of replicas()) void part.kill('SIGUSR2')
    await Promise.all([assertParserRuns(t, 'order'), assertParserRuns(t, 'payment')])
    for (const part of replicas()) {
      const startedAt = performance.now()
      t.is((await fetch(`${part.url}/ready`)).status, 200)
      const ms = performance.now() - startedAt
      t.true(ms < ANSWERED_WITHIN_MS, `${part.name} answered after ${Math.round(ms)} ms`)
    }
    for (const [index, part] of replicas().entries()) {
      const said = (await linesOf(part)) - (lines[index] ?? 0)
      t.true(said <= LINES_MAX, `${part.name} wrote ${said} lines`)
    }
    await proveInvariants(t, opened())
  })
