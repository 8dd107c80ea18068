/** How a program does a job once each time that it is due, however many of it run. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import test, { type ExecutionContext } from 'ava'
import { nanoid } from 'nanoid'
import type { Run } from '../../../ids/lock/client/cron.ts'
import { openTimes } from '../../../ids/lock/client/cron-times.ts'
import { LockLostError, LockUnavailableError } from '../../../ids/lock/client/errors.ts'
import { lockClient } from '../../../ids/lock/client.ts'
import { away, eventually } from '../../support/eventually.ts'
import { openFabric } from '../../support/faults/proxy.ts'
import { openLockReplica } from '../../support/lock-replica.ts'
import { openBench } from '../../support/shop/open-store.ts'

const bench = await openBench()
const replica = await openLockReplica(bench)
test.after.always(async () => {
  await replica.close()
  await bench[Symbol.asyncDispose]()
})
/** Each test has a job of its own. */
let job: string
test.serial.beforeEach(() => {
  job = `nightly-${nanoid(8)}`
})

const LATE_MS = 5_000
type Standing = {
  readonly last: { readonly slot: string; readonly state: string; readonly note: string | null } | null
}
const standing = async (): Promise<Standing> => (await (await fetch(`${replica.url}/jobs/${job}`)).json()) as Standing

test('times are as they are written', (t) => {
  const next = (expression: string, after: string): string =>
    new Date(openTimes(expression)(Date.parse(after))).toISOString()
  const AFTER = '2026-11-28T04:15:01.112Z' // a Saturday
  for (const [expression, expected] of [
    ['* * * * *', '2026-11-28T04:16:00.000Z'],
    ['0 3 * * *', '2026-11-29T03:00:00.000Z'],
    ['*/20 * * * *', '2026-11-28T04:20:00.000Z'],
    ['5-10/5,50 5 * * *', '2026-11-28T05:05:00.000Z'],
    ['0 0 1 * *', '2026-12-01T00:00:00.000Z'],
    ['0 0 1 1 *', '2027-01-01T00:00:00.000Z'],
    ['0 12 * * 7', '2026-11-29T12:00:00.000Z'],
    ['0 12 * * 1-5', '2026-11-30T12:00:00.000Z'],
    ['0 12 13 * 5', '2026-12-04T12:00:00.000Z'],
    ['0 0 29 2 *', '2028-02-29T00:00:00.000Z'],
  ] as const)
    t.is(next(expression, AFTER), expected, expression)
  t.is(next('0 3 * * *', '2026-11-28T03:00:00Z'), '2026-11-29T03:00:00.000Z')
  for (const wrong of [
    '',
    '* * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '5-3 * * * *',
    '*/0 * * * *',
    'x * * * *',
    '0 0 30 2 *',
  ])
    t.throws(() => openTimes(wrong), { instanceOf: RangeError }, wrong)
})

const EVERY_MINUTE = '* * * * *'

/** The next minute begins as soon as the program has begun: the client looks at the wall. */
const atTheNextMinute = (t: ExecutionContext) => {
  const { now } = Date
  const start = openTimes(EVERY_MINUTE)(now())
  const back = (): void => {
    Date.now = now
  }
  t.teardown(back)
  Date.now = () => start - 50
  return {
    slot: new Date(start).toISOString().replace('.000Z', 'Z'),
    strike: (): void => {
      Date.now = () => start
    },
    back,
  }
}

test.serial('of two programs that are due at one time one does the job', async (t) => {
  const clock = atTheNextMinute(t)
  const { promise: done, resolve } = Promise.withResolvers<string>()
  const slots: string[] = []
  const work = ({ slot }: { readonly slot: string }): void => {
    slots.push(slot)
    resolve(slot)
  }
  const onError = (error: unknown): void => t.fail(String(error))
  const programs = ['one', 'a host of a long name, in a rack'].map((owner) =>
    lockClient(replica.url, { owner }).cron(job, EVERY_MINUTE, { onError }, work),
  )
  clock.strike()
  t.is(await done, clock.slot)
  await eventually(async () => assert.equal((await standing()).last?.state, 'done'), LATE_MS)
  clock.back()
  await Promise.all(programs.map((program) => program.stop()))
  t.deepEqual(slots, [clock.slot])
})

test.serial('work that fails is told, and is what became of the run', async (t) => {
  const clock = atTheNextMinute(t)
  const { promise: failed, resolve } = Promise.withResolvers<unknown>()
  await using _ = lockClient(replica.url).cron(job, EVERY_MINUTE, { onError: resolve }, () => {
    throw new Error('no disk left')
  })
  clock.strike()
  t.like(await failed, { message: 'no disk left' })
  clock.back()
  t.like(await standing(), { last: { state: 'failed', note: 'no disk left' } })
})

test.serial('a run that could not be asked for is asked for again, if a lost one is to be run again', async (t) => {
  const fabric = openFabric()
  t.teardown(() => fabric.close())
  const url = await fabric.route({ from: 'program', to: 'locks', url: replica.url })
  const link = fabric.link('program', 'locks')
  link.suffer({ does: 'refuse' })
  const clock = atTheNextMinute(t)
  const { promise: failed, resolve: fail } = Promise.withResolvers<unknown>()
  const { promise: done, resolve } = Promise.withResolvers<string>()
  const program = lockClient(url, { retry: { forMs: 100 } }).cron(
    job,
    EVERY_MINUTE,
    { ifLost: 'again', onError: fail },
    ({ slot }) => resolve(slot),
  )
  clock.strike()
  t.true((await failed) instanceof LockUnavailableError)
  link.heal()
  t.is(await Promise.race([done, away(LATE_MS)]), clock.slot)
  clock.back()
  await program.stop()
})

test.serial('a run that is lost is run again by whoever is left, also by the same program', async (t) => {
  const clock = atTheNextMinute(t)
  const { promise: lost, resolve: lose } = Promise.withResolvers<unknown>()
  const { promise: done, resolve } = Promise.withResolvers<number>()
  const tokens: number[] = []
  const work = async ({ token, signal }: Run): Promise<void> => {
    tokens.push(token)
    if (tokens.length > 1) return resolve(token)
    await fetch(`${replica.url}/locks/jobs%2F${job}`, { method: 'DELETE' })
    await once(signal, 'abort')
  }
  const program = lockClient(replica.url).cron(job, EVERY_MINUTE, { ttl: 900, ifLost: 'again', onError: lose }, work)
  clock.strike()
  t.true((await lost) instanceof LockLostError)
  t.true(Number(await Promise.race([done, away(LATE_MS)])) > (tokens[0] ?? 0))
  await eventually(async () => assert.equal((await standing()).last?.state, 'done'), LATE_MS)
  clock.back()
  await program.stop()
})

test.serial('a run that has ended before its program was told is not begun', async (t) => {
  const fabric = openFabric()
  t.teardown(() => fabric.close())
  const url = await fabric.route({ from: 'program', to: 'locks', url: replica.url })
  const ttl = 100
  fabric.link('program', 'locks').suffer({ does: 'delay', ms: ttl })
  const clock = atTheNextMinute(t)
  const { promise: lost, resolve: lose } = Promise.withResolvers<unknown>()
  let begun = 0
  const program = lockClient(url).cron(job, EVERY_MINUTE, { ttl, onError: lose }, () => {
    begun += 1
  })
  clock.strike()
  t.true((await lost) instanceof LockLostError)
  clock.back()
  await program.stop()
  t.is(begun, 0)
})
