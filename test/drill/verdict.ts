/**
 * How did the shop stand the drill?
 *
 * An *anomaly* is a promise that was broken; one of them is enough for the exit code 1. What customers were not told while
 * harm was done, and for how long, is told and not judged: only a 500 is, because no fault excuses it.
 */
import { type Anomaly, describe } from '../support/checker/anomaly.ts'
import type { Operation } from '../support/checker/history.ts'
import { number, table } from '../support/table.ts'
import type { Struck } from './faults.ts'
import type { Growth } from './growth.ts'
import { endOf, type RouteReading } from './meter.ts'
import type { Trespasses } from './trespass.ts'
import type { TurnsFound } from './turns.ts'
import { clockTime, faultLine, faultsOf, seconds } from './view.ts'

export type Findings = {
  /** What contradicts the promises, of a shop at rest. */
  readonly anomalies: readonly Anomaly[]
  /** What was cut off the files of Redis that came back older, as it was written there. */
  readonly lost: readonly Buffer[]
  /** Orders that the shop lists as those that no rule can mend after that, which is all it promises of them. */
  readonly listed: readonly string[]
  /** How often the shop noticed that a log had lost its end. */
  readonly noticed: number
  /** What audits of the running shop did not find balanced, in words. */
  readonly unbalanced: readonly string[]
  /** How long it took from the last answer until nothing was under way; or what did not end. */
  readonly settled: { readonly ms: number } | { readonly not: string }
  /** Deaths that were no fault of the drill's. */
  readonly deaths: readonly string[]
  /** How often a service answered that it failed. */
  readonly internalErrors: number
  readonly routes: readonly RouteReading[]
  readonly struck: readonly Struck[]
  readonly growths: readonly Growth[]
  /** Who was not to be let in, where clients bear tokens. */
  readonly trespasses: Trespasses | undefined
  /** Of programs that took turns under locks, if any did. */
  readonly turns: TurnsFound | undefined
  readonly visits: number
  readonly turnedAway: number
  readonly ms: number
  /** The command that repeats it. */
  readonly command: string
}

const SHOWN_MAX = 30
/** A checkout ends by its deadline of 10 s, and what is left of it is found by the log parser, which runs every 5 s. */
const SETTLED_WITHIN_MS = 20_000

/** What visitors who ask for nothing impossible may be refused; an order stays empty if nobody knows what became of its lines. */
const MAY_BE_REFUSED = new Set([
  'out-of-credit',
  'out-of-stock',
  'order-empty',
  'order-cancelled',
  // Another one has changed the order before, or a change could not be made in time.
  'stale',
  'change-cancelled',
  // Its program was late, and another one has the lock; whether that is so is looked at apart.
  'stale-lock-token',
])

/** Refusals that no visitor of a drill gives a cause for: something unknown, malformed, or not open. */
export const oddRefusals = (history: readonly Operation[]): readonly Anomaly[] =>
  history
    .filter(({ status, problem }) => endOf(status, problem) === 'refused' && !MAY_BE_REFUSED.has(problem))
    .map(({ does, facts, status, problem }) => {
      const thing = (['order', 'user', 'item'] as const).find((name) => facts[name] !== undefined)
      const about = thing === undefined ? does : `${thing}:${facts[thing]}`
      return { name: 'unjustified-refusal', about, says: `${does} was told ${status} ${problem}` }
    })

/** Names of single things, which can be looked for in what was lost; sums and whole logs cannot. */
const THING = /^(order|user|item|saga):/

/** The order that a complaint about somebody unknown speaks of: whose it was is lost with it. */
const ORDER_TOLD = /"order":"([^"]+)"/

/** Does it tell of something that a Redis has lost with its file? No peer may know that. */
const isLost = ({ about, says }: Anomaly, lost: readonly Buffer[]): boolean => {
  const names = [about.slice(about.indexOf(':') + 1), ORDER_TOLD.exec(says)?.[1] ?? about]
  return THING.test(about) && lost.some((bytes) => names.some((name) => bytes.includes(name)))
}

/** What is wrong, a sentence each. Refusals without cause are among them. */
export const wrongs = (findings: Findings): string[] => {
  const { anomalies, lost, unbalanced, settled, deaths, internalErrors, struck, growths, trespasses, turns } = findings
  const late = struck.filter(({ settledMs = 0, overtaken }) => !overtaken && settledMs > SETTLED_WITHIN_MS)
  return [
    ...anomalies.filter((anomaly) => !isLost(anomaly, lost)).map(describe),
    ...(lost.length > 0 ? [] : unbalanced),
    ...('not' in settled ? [`the shop did not come to rest: ${settled.not}`] : []),
    ...late.map((one) => `the shop did not settle within ${seconds(SETTLED_WITHIN_MS)}: ${faultLine(one).trim()}`),
    ...deaths.map((death) => `nobody did it harm, and ${death}`),
    ...(trespasses?.served ?? []),
    ...(turns?.wrong ?? []),
    ...(internalErrors > 0 ? [`${internalErrors} requests were answered 500`] : []),
    ...growths.flatMap(({ part, grew = [] }) => grew.map((what) => `the ${what} of ${part} grew without end`)),
  ]
}

const listOf = (title: string, sentences: readonly string[]): string => {
  const shown = sentences.slice(0, SHOWN_MAX).map((sentence) => `  ${sentence}`)
  const more = sentences.length > SHOWN_MAX ? [`  and ${number(sentences.length - SHOWN_MAX)} more`] : []
  return [`${title}: ${sentences.length === 0 ? 'none' : number(sentences.length)}`, ...shown, ...more].join('\n')
}

const routesTable = (routes: readonly RouteReading[]): string => {
  const head = ['ok', 'refused', 'later', 'failed', 'unsafe', 'no answer', 'from', 'slowest', 'asked for']
  const rows = routes.map(({ does, ends, failures, unavailable, slowestMs }) => [
    ...[ends.ok, ends.refused, ends.later, failures.safe, failures.unsafe].map((count) => number(count)),
    seconds(unavailable.ms),
    clockTime(unavailable.fromMs),
    seconds(slowestMs),
    does,
  ])
  return table([head, ...rows], head.length - 1)
}

const LEGEND = [
  'later: nothing was done, ask again. failed: a 5xx or no answer, of what is safe',
  'to repeat; unsafe: of the rest. no answer: the longest time in which somebody',
  'asked and nobody was answered. slowest: the slowest answer.',
]

const GROWTH_LEGEND = [
  'kept: what is left of it when all garbage is collected, after a minute and at',
  'the end; flat: neither that nor the descriptors grew.',
]

const settlings = (struck: readonly Struck[]): string => {
  const alone = struck.flatMap(({ settledMs, overtaken }) => (settledMs === undefined || overtaken ? [] : [settledMs]))
  const sorted = alone.toSorted((one, other) => one - other)
  const overtaken = struck.filter((one) => one.overtaken).length
  const times =
    sorted.length === 0
      ? 'no fault was left alone long enough to tell'
      : `median ${seconds(sorted[Math.floor(sorted.length / 2)] ?? 0)}, longest ${seconds(sorted.at(-1) ?? 0)}`
  return `Until settled after a fault: ${times} (${faultsOf(struck)}, ${number(overtaken)} not settled before the next)`
}

const slowest = (struck: readonly Struck[]): readonly string[] =>
  struck
    .filter(({ settledMs, overtaken }) => settledMs !== undefined && !overtaken)
    .toSorted((one, other) => (other.settledMs ?? 0) - (one.settledMs ?? 0))
    .slice(0, 3)
    .map((one) => `  ${faultLine(one)}`)

const megabytes = (bytes: number | undefined): string => (bytes === undefined ? '' : `${number(bytes / 1_048_576)} MB`)

const growthTable = (growths: readonly Growth[]): string => {
  const head = ['memory', 'at the end', 'kept', 'at the end', 'descriptors', 'at the end', 'flat', 'process']
  const flat = (grew: readonly string[] | undefined): string => {
    if (grew === undefined) return 'too short'
    return grew.length === 0 ? 'yes' : 'NO'
  }
  const rows = growths.map(({ part, first, kept, last, grew }) => [
    megabytes(first.memory),
    megabytes(last.memory),
    megabytes(kept),
    megabytes(last.kept),
    number(first.descriptors),
    number(last.descriptors),
    flat(grew),
    part,
  ])
  return table([head, ...rows], head.length - 1)
}

const lossOf = ({ anomalies, lost, listed, noticed }: Findings): readonly string[] => [
  `Lost with the ends of files: ${number(lost.length)} writes. Lost ends of logs that the shop noticed: ${number(noticed)}`,
  listOf('Orders that the shop lists as not to be mended', listed),
  listOf('What nobody can know any more', anomalies.filter((anomaly) => isLost(anomaly, lost)).map(describe)),
]

const identitiesIn = ({ turns, refused }: Trespasses): string =>
  `Customers had tokens of their own; keys changed ${number(turns)} times. Refused, as they are to be: ${number(refused.others)} who asked for another's order, ${number(refused.revoked)} with a revoked key.`

/** The verdict in words. */
export const wordsOf = (findings: Findings): string => {
  const { anomalies, lost, settled, routes, struck, growths, trespasses, turns, visits, turnedAway, ms, command } =
    findings
  const wrong = wrongs(findings)
  const refusals = anomalies.filter((anomaly) => anomaly.name === 'unjustified-refusal' && !isLost(anomaly, lost))
  const answers = routes.reduce((sum, { ends }) => sum + Object.values(ends).reduce((all, count) => all + count, 0), 0)
  return [
    `${wrong.length === 0 ? 'The shop kept its promises.' : 'THE SHOP BROKE A PROMISE.'} ${number(visits)} visits, ${number(answers)} requests, ${faultsOf(struck)} in ${seconds(ms)}.`,
    '',
    listOf('Anomalies', wrong),
    `Refusals without cause: ${refusals.length === 0 ? 'none' : number(refusals.length)}`,
    ...(lost.length > 0 ? lossOf(findings) : []),
    ...('ms' in settled ? [`At rest ${seconds(settled.ms)} after the last answer.`] : []),
    settlings(struck),
    ...slowest(struck),
    ...(trespasses ? [identitiesIn(trespasses)] : []),
    ...(turns?.words ?? []),
    ...(turnedAway > 0 ? [`${number(turnedAway)} visitors did not come in: too many were inside.`] : []),
    '',
    routesTable(routes),
    ...LEGEND,
    '',
    ...(growths.length === 0
      ? ['Memory and descriptors are not known here: there is no /proc.']
      : [growthTable(growths), ...GROWTH_LEGEND]),
    '',
    `Again, with the same faults and visits: ${command}`,
  ].join('\n')
}
