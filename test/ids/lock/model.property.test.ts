/** The commands of locks do what the model says, whatever is asked in whichever order, and however often. */
import test from 'ava'
import fc from 'fast-check'
import { MODES, type Wish } from '../../../ids/lock/lease.ts'
import type { Lock } from '../../../ids/lock/read-lock.ts'
import type { Verbs } from '../../../ids/lock/verbs.ts'
import { FULL, todaysSeed } from '../../support/faults/daily.ts'
import { type Done, FREE, type ModelAnswer, type ModelLock, openModel } from '../../support/lock-model.ts'
import { elapse, openLocksOver, wish } from '../../support/locks.ts'
import { openBench } from '../../support/shop/open-store.ts'

const RUNS = FULL ? 10_000 : 120
/** Times are whole steps: what a test takes itself is much less than one. */
const STEP_MS = 100_000
const UNCLAIMED_MS = 2 * STEP_MS
const UNATTENDED_MS = 3 * STEP_MS

const bench = await openBench()
const { locks, knowledge } = openLocksOver(bench.dependencies, {
  lock_unclaimed_ms: UNCLAIMED_MS,
  lock_unattended_ms: UNATTENDED_MS,
  lock_idle_ms: 1_000 * STEP_MS,
  // The next token is the last one and one more.
  first_token_ms: Number.MAX_SAFE_INTEGER,
})
const model = openModel({ unclaimedMs: UNCLAIMED_MS, unattendedMs: UNATTENDED_MS })
test.after.always(() => bench[Symbol.asyncDispose]())

type Verb =
  | { readonly verb: 'acquire'; readonly lease: string; readonly wish: Wish }
  | { readonly verb: 'ask' | 'release'; readonly lease: string }
  | {
      readonly verb: 'renew'
      readonly lease: string
      readonly ttlMs: number | undefined
      readonly priority: number | undefined
      readonly mode: 'read' | undefined
    }
  | { readonly verb: 'force'; readonly newest: boolean; readonly waiters: boolean }
  | {
      readonly verb: 'configure'
      readonly limit: number | undefined
      readonly write: 'exclusive' | 'shared' | undefined
      readonly delayMs: number
    }
  | { readonly verb: 'elapse'; readonly steps: number }
  | { readonly verb: 'tick' }
  /** What was asked so many verbs ago is asked again. */
  | { readonly verb: 'again'; readonly back: number }

const steps = (...counts: readonly number[]) => fc.constantFrom(...counts.map((count) => count * STEP_MS))
const lease = fc.constantFrom('l1', 'l2', 'l3', 'l4', 'l5', 'l6')
const optional = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(one, { nil: undefined })
const priority = fc.constantFrom(0, 0, 0, 1, -1)
const wishes: fc.Arbitrary<Wish> = fc
  .record({
    mode: fc.constantFrom(...MODES),
    ttlMs: steps(1, 4, 9),
    waitMs: steps(0, 2, 6),
    queue: fc.boolean(),
    priority,
    permits: fc.constantFrom(1, 1, 2, 3),
    limit: fc.constantFrom(undefined, 3, 3, 4),
    delayMs: optional(steps(0, 2)),
  })
  .map(({ permits, limit, ...wanted }) => wish(wanted.mode === 'permit' ? { ...wanted, permits, limit } : wanted))
const of = <const Name extends Verb['verb'], More>(verb: Name, more: fc.Arbitrary<More>) =>
  more.map((rest) => ({ verb, ...rest }))
const verbs = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: of('acquire', fc.record({ lease, wish: wishes })) },
    { weight: 3, arbitrary: of('ask', fc.record({ lease })) },
    { weight: 4, arbitrary: of('release', fc.record({ lease })) },
    {
      weight: 2,
      arbitrary: of(
        'renew',
        fc.record({
          lease,
          ttlMs: optional(steps(1, 5)),
          priority: optional(priority),
          mode: optional(fc.constant('read' as const)),
        }),
      ),
    },
    { weight: 1, arbitrary: of('force', fc.record({ newest: fc.boolean(), waiters: fc.boolean() })) },
    {
      weight: 1,
      arbitrary: of(
        'configure',
        fc.record({
          limit: fc.constantFrom(undefined, 3, 4),
          write: fc.constantFrom(undefined, 'exclusive', 'shared'),
          delayMs: steps(0, 2),
        }),
      ),
    },
    { weight: 3, arbitrary: of('elapse', fc.record({ steps: fc.integer({ min: 1, max: 5 }) })) },
    { weight: 1, arbitrary: of('tick', fc.record({})) },
    { weight: 3, arbitrary: of('again', fc.record({ back: fc.integer({ min: 1, max: 8 }) })) },
  ),
  { minLength: 4, maxLength: 24 },
) as fc.Arbitrary<readonly Verb[]>

/** What the model says of an answer. */
const KEPT: readonly string[] = [
  ...['state', 'isNew', 'token', 'mode', 'permits', 'position', 'ahead', 'ended', 'promoted', 'what', 'as', 'limit'],
  ...['newest', 'tokens', 'dropped', 'why', 'restMs', 'waiting'],
]
/** What it takes itself is no part of what time is left. */
const inSteps = (value: unknown): unknown => STEP_MS * Math.round(Number(value) / STEP_MS)
const answerOf = (found: { readonly state: string } & Readonly<Record<string, unknown>>): ModelAnswer => ({
  state: found.state,
  ...Object.fromEntries(
    Object.entries(found)
      .filter(([name]) => KEPT.includes(name))
      .map(([name, value]) => [name, name === 'restMs' ? inSteps(value) : value]),
  ),
})

/** Runs a verb on a real lock. */
const run = async (verbs: Verbs, name: string, asked: Verb, newest: number): Promise<ModelAnswer> => {
  switch (asked.verb) {
    case 'acquire':
      return answerOf(await verbs.acquire(name, asked.lease, asked.wish))
    case 'ask':
      return answerOf(await verbs.ask(name, asked.lease))
    case 'release':
      return answerOf(await verbs.release(name, asked.lease))
    case 'renew':
      return answerOf(await verbs.renew(name, asked.lease, asked))
    case 'force': {
      const token = asked.newest ? newest : undefined
      const found = await verbs.force(name, { token, waiters: asked.waiters })
      if (found.state !== 'forced') return answerOf(found)
      const tokens = found.tokens.toSorted((a, b) => a - b)
      return { ...answerOf(found), tokens, promoted: found.promoted.length }
    }
    case 'configure':
      return answerOf(await verbs.configure(name, asked, 'configured'))
    case 'elapse':
      await elapse(bench.redis, asked.steps * STEP_MS, name)
      return { state: 'elapsed' }
    case 'tick':
      await verbs.tick()
      return { state: 'ticked' }
    case 'again':
      return { state: 'nothing' }
  }
}

const foretell = (lock: ModelLock, asked: Verb, now: number): Done => {
  switch (asked.verb) {
    case 'acquire':
      return model.acquire(lock, asked.lease, asked.wish, now)
    case 'ask':
      return model.ask(lock, asked.lease, now)
    case 'release':
      return model.release(lock, asked.lease, now)
    case 'renew':
      return model.renew(lock, asked.lease, asked, now)
    case 'force':
      return model.force(lock, asked.newest ? lock.token : undefined, asked.waiters, now)
    case 'configure':
      return model.configure(lock, asked, now)
    case 'elapse':
      return [lock, { state: 'elapsed' }]
    case 'tick':
      return [model.settle(lock, now), { state: 'ticked' }]
    case 'again':
      return [lock, { state: 'nothing' }]
  }
}

const shownBy = (lock: ModelLock, now: number) => ({
  holders: lock.holders
    .map(({ mode, wish: { permits }, token }) => ({ mode, permits, token }))
    .toSorted((a, b) => a.token - b.token),
  waiters: lock.waiters.map(({ mode, wish: { permits }, priority: own }) => ({ mode, permits, priority: own })),
  isDelayed: lock.delayed > now,
  limit: lock.limit ?? null,
  write: lock.configured.write ?? null,
  token: lock.token,
})
const shownOf = (lock: Lock): ReturnType<typeof shownBy> => ({
  holders: lock.holders
    .map(({ mode, permits, token }) => ({ mode, permits, token }))
    .toSorted((a, b) => a.token - b.token),
  waiters: lock.waiters.map(({ mode, permits, priority: own }) => ({ mode, permits, priority: own })),
  isDelayed: lock.delayedForMs > 0,
  limit: lock.limit,
  write: lock.write,
  token: lock.token,
})

/** What must hold of every lock, whatever the model says. */
const assertSound = ({ holders, limit }: Lock): void => {
  const modes = new Set(holders.map(({ mode }) => mode))
  if (modes.size > 1) throw new Error(`they hold as ${[...modes].join(' and ')}`)
  if (modes.has('exclusive') && holders.length > 1) throw new Error('two hold alone')
  const permits = holders.reduce((all, one) => all + one.permits, 0)
  if (modes.has('permit') && permits > (limit ?? 0)) throw new Error(`${permits} permits of ${limit}`)
}

const assertEqual = (what: string, found: unknown, expected: unknown): void => {
  const [one, other] = [found, expected].map((value) => JSON.stringify(value, sorted))
  if (one !== other) throw new Error(`${what}: ${one}, but the model says ${other}`)
}
const sorted = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value

let sequences = 0
/** Holds the commands, as they are or as something wrong does them, against the model. */
const agrees = (commands: Verbs) =>
  fc.asyncProperty(verbs, async (asked) => {
    sequences += 1
    const name = `s${sequences}`
    await bench.redis.flushall()
    knowledge.reset('')
    let expected = FREE
    let now = 0
    for (const [at, verb] of asked.entries()) {
      const before = expected
      const one = verb.verb === 'again' ? (asked[at - verb.back] ?? verb) : verb
      if (one.verb === 'again') continue
      if (one.verb === 'elapse') now += one.steps * STEP_MS
      const [next, answer] = foretell(expected, one, now)
      const found = await run(commands, name, one, before.token)
      assertEqual(`${at}. ${JSON.stringify(one)}`, found, answer)
      if (one.verb !== 'elapse') {
        // To look at a lock settles it.
        expected = model.settle(next, now)
        const shown = await commands.show(name, true)
        assertSound(shown)
        assertEqual(`${at}. after ${JSON.stringify(one)}`, shownOf(shown), shownBy(expected, now))
      } else expected = next
    }
  })

test.serial(`the commands do what the model says, in ${RUNS} sequences`, async (t) => {
  t.timeout(600_000)
  await t.notThrowsAsync(fc.assert(agrees(locks), { ...todaysSeed, numRuns: RUNS, includeErrorInReport: true }))
})

/** Commands that do something wrong, which must be found. */
const WRONG: Readonly<Record<string, Partial<Verbs>>> = {
  'all have the same priority': {
    acquire: (name, id, wanted) => locks.acquire(name, id, { ...wanted, priority: 0 }),
  },
  'nobody is delayed': { acquire: (name, id, wanted) => locks.acquire(name, id, { ...wanted, delayMs: 0 }) },
  'what is exclusive only reads': {
    acquire: (name, id, wanted) => {
      const mode = wanted.mode === 'exclusive' ? 'read' : wanted.mode
      return locks.acquire(name, id, { ...wanted, mode })
    },
  },
  'nobody waits': { acquire: (name, id, wanted) => locks.acquire(name, id, { ...wanted, waitMs: 0, queue: false }) },
  'a renewal does nothing': { renew: (name, id) => locks.ask(name, id) },
  'a release gives nothing back': {
    release: async () => ({ state: 'ended', ended: 'released', atMs: 0, promoted: false }),
  },
  'the queue stays': { force: (name, { token }) => locks.force(name, { token, waiters: false }) },
}
for (const [what, wrong] of Object.entries(WRONG))
  test.serial(`it is found if ${what}`, async (t) => {
    t.timeout(300_000)
    await t.throwsAsync(
      fc.assert(agrees({ ...locks, ...wrong }), { ...todaysSeed, numRuns: 1_000, endOnFailure: true }),
    )
  })
