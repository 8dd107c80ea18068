/**
 * Every point at which a process touches another one is a place to die at, in every way, whatever the checkout comes to.
 *
 * The points are those that a recorded run passes, so a new one needs no mention to be tried. `npm run test:faults` tries
 * all cases. `npm test` tries every fourth point of a checkout, and those of every twelfth other step, with one fault and one outcome;
 * which, changes every day. `CRASHES` chooses others: a number is the day, any other text is a pattern of the cases' names.
 */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { SERVICES } from '../../shared/contract/services.ts'
import { FULL, TODAY } from '../support/faults/daily.ts'
import { luaCommands } from '../support/shop/lua-command.ts'
import { type Case, casesOf, nameOf, OUTCOMES, type Passings, recordActs } from './crash-cases.ts'
import { failuresOf, type Result, runCases, tableOf } from './crash-run.ts'

const RECORD_MS = 180_000
const SHORT_MS = 480_000
const FULL_MS = 7_200_000
const WANTED = process.env.CRASHES ?? (FULL ? '' : String(TODAY))
const isShort = /^\d+$/.test(WANTED)
/**
 * A case mostly waits for leases to expire, so that many shops can be run at once. Eight keep two cores so busy that tests
 * beside them, which expect an undisturbed shop to answer in time, fail.
 */
const SHOPS = isShort ? 2 : 8

const stepOf = (point: string): string => point.replace(/\.(before|after)$/, '')

const isOfCheckout = ({ act }: Case): boolean => OUTCOMES.some((outcome) => outcome === act)

/** After so many days each point of a checkout was tried, and each other step. */
const CHECKOUT_DAYS = 4
const OTHER_DAYS = 12

/** One case of some points, so that each comes up again after its days, and then with its next case. */
const rotated = (all: readonly Case[], day: number): readonly Case[] => {
  const turnOf = (text: string): number => createHash('sha1').update(text).digest().readUInt32BE() + day
  return [...Map.groupBy(all, ({ point }) => point)].flatMap(([point, some]) => {
    const [turn, days] = some.some(isOfCheckout) ? [turnOf(point), CHECKOUT_DAYS] : [turnOf(stepOf(point)), OTHER_DAYS]
    const next = Math.floor(turn / days) % some.length
    return turn % days === 0 ? some.slice(next, next + 1) : []
  })
}

const chosen = (all: readonly Case[]): readonly Case[] => {
  if (isShort) return rotated(all, Number(WANTED))
  const pattern = new RegExp(WANTED)
  return all.filter((one) => pattern.test(nameOf(one)))
}

let passings: Passings = new Map()
let cases: readonly Case[] = []
const results: Result[] = []

test.before(async (t) => {
  t.timeout(RECORD_MS)
  passings = await recordActs()
  const all = casesOf(passings)
  cases = chosen(all)
  t.log(`CRASHES='${WANTED}': ${cases.length} of ${all.length} cases`)
})

/** Steps that the acts of the recorded run need not do, and why not. */
const UNREACHED: Readonly<Record<string, string>> = {
  drop: 'the index of unfinished checkouts names a finished one: no command leaves it so',
  absent: 'an audit does not add up: here it does',
  'script-kill': 'a visitor keeps a Redis busy: nobody does',
  retry: 'a dead letter is retried: there is none',
  dismiss: 'a dead letter is dismissed: there is none',
  'dead-applied': 'a dead letter is shown: there is none',
  'dead-dismissed': 'a dead letter is shown: there is none',
  'bar-locks': 'the Redis of ids comes back older: here it does not',
  'find-left': 'the Redis of ids comes back older: here it does not',
}

const stepsInSources = (): readonly string[] =>
  [...SERVICES, 'shared'].flatMap((room) => {
    const folder = join(import.meta.dirname, '../..', room)
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
    const code = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n')
    return [...code.matchAll(/\bstep\(\s*'([^']+)'/g)].map(([, name = '']) => name)
  })

test.serial('the recorded run does every step and every command that there is', (t) => {
  const points = new Set([...passings.values()].flatMap((passed) => [...passed.keys()]))
  const done = new Set([...points].map((point) => stepOf(point).replace(/^[a-z]+\./, '')))
  const all = new Set([
    ...stepsInSources(),
    ...[...SERVICES, 'shared' as const].flatMap(luaCommands).map(({ name }) => name),
  ])
  t.true(all.size > 30)
  t.deepEqual(
    [...all].filter((name) => !done.has(name) && !Object.hasOwn(UNREACHED, name)),
    [],
  )
})

/** All cases are run at once, in whatever order keeps the shops busy. */
test.serial('survives every fault at every point', async (t) => {
  t.timeout(isShort ? SHORT_MS : FULL_MS)
  const survived = await runCases(cases, SHOPS, ({ one, ms, problems }) => {
    if (!isShort) console.log(`${nameOf(one)}: ${Math.round(ms)} ms ${problems.join('; ')}`)
  })
  results.push(...survived)
  t.is(survived.length, cases.length)
  t.deepEqual(failuresOf(survived), [])
})

test.after.always((t) => {
  t.log(tableOf(results))
})
