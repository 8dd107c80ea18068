/** In what words is the result told? Tables of text; nothing here is measured. */
import { number, table } from '../support/table.ts'
import type { Books } from './books.ts'
import { type CpuTimes, MACHINE } from './cpu.ts'
import { LIMIT_CONNECTIONS, type Limits } from './limits.ts'
import type { Measured, Oddity } from './load.ts'
import { cores } from './options.ts'
import type { RunProfile, Spent } from './profile.ts'

/** One loop at one number of connections, or at one rate. */
export type Run = {
  /** Whose it is, where several shops are measured. */
  readonly who?: string
  readonly connections: number
  /** The rate of an open loop; undefined of a closed one. */
  readonly perSecond: number | undefined
  readonly measured: Measured
  /** Processor time of the measured time by role, where it can be known. */
  readonly cpu: CpuTimes | undefined
  readonly profile: RunProfile | undefined
}

/** The role of the load generator among the processor times. */
export const LOAD = 'load'

export const rateOf = ({ answered, ms }: Measured): number => (ms === 0 ? 0 : (answered * 1_000) / ms)

/** Of an even number of values, the mean of the two in the middle. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((one, other) => one - other)
  const [low = 0, high = low] = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1)
  return (low + high) / 2
}

type Oddities = Readonly<Record<string, Oddity>>

/** The same kinds of several runs, counted together. */
const together = (all: readonly Oddities[]): Oddities => {
  const sums: Record<string, Oddity> = {}
  for (const [what, { count, example }] of all.flatMap(Object.entries<Oddity>))
    sums[what] = { count: (sums[what]?.count ?? 0) + count, example: sums[what]?.example ?? example }
  return sums
}

const kindsOf = (all: readonly Oddities[]): string => {
  const kinds = Object.entries(together(all)).map(([what, { count }]) => `${what}: ${number(count)}`)
  return kinds.length === 0 ? 'none' : kinds.join(', ')
}

/** Runs that measure the same, of which the median is told. */
const alike = (runs: readonly Run[]): Run[][] => [
  ...Map.groupBy(runs, ({ who, connections, perSecond }) => [who, connections, perSecond].join()).values(),
]

const nameOf = ({ who, connections, perSecond }: Run): string => {
  const pace = perSecond === undefined ? `${connections} connections` : `${number(perSecond)} due a second`
  return who === undefined ? pace : `${pace}, ${who}`
}

const notes = (group: readonly Run[]): string[] => {
  const [first] = group
  if (first === undefined) return []
  const name = nameOf(first)
  const examples = (kinds: readonly Oddities[], what: string): string[] =>
    Object.entries(together(kinds)).map(([kind, { example }]) => `The first ${what}${kind} at ${name}: ${example}`)
  return [
    ...group
      .filter(({ measured }) => measured.usedUp)
      .map(({ measured }) => `At ${name} all orders were used up after ${number(measured.ms)} ms.`),
    ...examples(
      group.map(({ measured }) => measured.shed),
      'that was turned away, ',
    ),
    ...examples(
      group.map(({ measured }) => measured.odd),
      '',
    ),
  ]
}

/** What was done, as a rate and as one of them. */
export type Unit = { readonly many: string; readonly one: string }
export const unitOf = (route: string): Unit =>
  route === 'checkout' ? { many: 'checkouts', one: 'checkout' } : { many: 'answers', one: 'answer' }

/**
 * Rates and latencies, the median of runs that measure the same; the slowest of all in the last column of times. What was not
 * a 200 is counted over all of them, the warm-up included; what was turned away, as a rate of the measured time.
 */
export const rates = (runs: readonly Run[], { many }: Unit): string => {
  const groups = alike(runs)
  const isOpen = runs.some(({ perSecond }) => perSecond !== undefined)
  const isRepeated = groups.some((group) => group.length > 1)
  const isOfSeveral = runs.some(({ who }) => who !== undefined)
  const head = [
    ...(isOfSeveral ? ['whose'] : []),
    isOpen ? 'due/s' : 'connections',
    `${many}/s`,
    ...(isRepeated ? ['from', 'to'] : []),
    ...['p50 ms', 'p95 ms', 'p99 ms', 'max ms', 'shed/s'],
    ...(isOpen ? ['not sent'] : []),
    'not 200',
  ]
  const rows = groups.map((group) => {
    const of = (value: (run: Measured) => number): number[] => group.map(({ measured }) => value(measured))
    const all = of(rateOf)
    const [first] = group
    return [
      ...(isOfSeveral ? [first?.who ?? ''] : []),
      isOpen ? number(first?.perSecond ?? 0) : String(first?.connections),
      number(median(all)),
      ...(isRepeated ? [number(Math.min(...all)), number(Math.max(...all))] : []),
      ...(['p50', 'p95', 'p99'] as const).map((at) => number(median(of(({ latencyMs }) => latencyMs[at])), 2)),
      number(Math.max(...of(({ latencyMs }) => latencyMs.max)), 2),
      number(median(of(({ shedMeasured, ms }) => (shedMeasured * 1_000) / Math.max(1, ms)))),
      ...(isOpen ? [number(of(({ notSent }) => notSent).reduce((sum, count) => sum + count, 0))] : []),
      kindsOf(group.map(({ measured }) => measured.odd)),
    ]
  })
  return [table([head, ...rows]), ...groups.flatMap(notes)].join('\n')
}

/** CPU milliseconds per answer by role, the median of runs that measure the same; and how much of the machine was busy. */
export const cpuTimes = (runs: readonly Run[], { one }: Unit): string => {
  const first = runs[0]?.cpu
  if (first === undefined) return 'CPU times are not known here: there is no /proc.'
  const roles = [...first.keys()].filter((role) => role !== LOAD && role !== MACHINE)
  const isOpen = runs[0]?.perSecond !== undefined
  const head = [isOpen ? 'due/s' : 'connections', ...roles, 'the shop', LOAD, 'cores busy', 'by others']
  const numbersOf = ({ measured: { answered, ms }, cpu = new Map() }: Run): number[] => {
    const each = (role: string): number => (cpu.get(role) ?? 0) / Math.max(1, answered)
    const shop = roles.reduce((sum, role) => sum + each(role), 0)
    const busy = ((shop + each(LOAD)) * answered) / Math.max(1, ms)
    const others = Math.max(0, (cpu.get(MACHINE) ?? 0) / Math.max(1, ms) - busy)
    return [...roles.map(each), shop, each(LOAD), busy, others]
  }
  const rows = alike(runs).map((group) => {
    const all = group.map(numbersOf)
    const middle = head.slice(1).map((_, column) => median(all.map((numbers) => numbers[column] ?? 0)))
    const [busy = 0, others = 0] = middle.slice(-2)
    const { perSecond, connections } = group[0] as Run
    return [
      number(perSecond ?? connections),
      ...middle.slice(0, -2).map((value) => number(value, 3)),
      `${number(busy, 2)} of ${cores}`,
      number(others, 2),
    ]
  })
  return `CPU milliseconds per ${one}\n${table([head, ...rows])}`
}

/** The two limits, and what part of each the shop reaches at as many connections. */
export const limits = ({ koa, koaCpuMs, scriptRate }: Limits, runs: readonly Run[]): string => {
  const like = runs.filter(({ connections, perSecond }) => connections === LIMIT_CONNECTIONS && perSecond === undefined)
  const reached = median(like.map(({ measured }) => rateOf(measured)))
  const share = (limit: number): string =>
    like.length === 0 ? '' : `; the shop reaches ${number((100 * reached) / limit, 1)} % of it`
  const { p50, p99 } = koa.latencyMs
  const cpu = koaCpuMs === undefined ? '' : `, CPU ${number(koaCpuMs / Math.max(1, koa.answered), 3)} ms`
  return [
    `Limits, ${LIMIT_CONNECTIONS} at a time`,
    `Koa through the same gateway:  ${number(rateOf(koa))}/s (p50 ${number(p50, 2)} ms, p99 ${number(p99, 2)} ms${cpu}, not 200: ${kindsOf([koa.odd, koa.shed])})${share(rateOf(koa))}`,
    `One script in one Redis:       ${number(scriptRate)}/s${share(scriptRate)}`,
  ].join('\n')
}

/** The conservation check in a few lines, and every complaint. */
export const books = (found: Books): string => {
  const { credit, stock, paid, ok, unsure, shed, open, negative, isWhole, ordersRead, complaints } = found
  const scope = isWhole
    ? `read from the Redis, all ${number(ordersRead)} orders, compared for each user and item`
    : `read by the routes: every user and item, and ${number(ordersRead)} of the orders; what was spent and sold is taken from the answers, what is unfinished inside cannot be seen`
  const perhaps = unsure === 0 ? '' : ` and ${number(unsure)} perhaps paid`
  const neverBegun = isWhole && complaints.length === 0 ? ' and never begun' : ''
  const turnedAway = shed === 0 ? '' : `, ${number(shed)} were turned away${neverBegun}`
  return [
    `Conservation: ${complaints.length === 0 ? 'holds' : 'BROKEN'} (${scope})`,
    `  credit ${number(credit.added)} added = ${number(credit.left)} left + ${number(credit.gone)} spent`,
    `  stock  ${number(stock.added)} added = ${number(stock.left)} left + ${number(stock.gone)} sold`,
    `  ${number(paid)} ${isWhole ? '' : 'of those '}orders are paid, ${number(ok)} checkouts were answered 200${perhaps}${turnedAway}; ${negative} numbers negative, ${open} things unfinished`,
    ...complaints.map((complaint) => `  WRONG: ${complaint}`),
  ].join('\n')
}

const spent = (entries: readonly Spent[], answered: number): string =>
  table(
    entries.map(({ what, us, share }) => [number(us / answered, 1), `${number(100 * share, 1)} %`, what]),
    2,
  )

/** What took the time in each process and each Redis, in microseconds per checkout. */
export const profile = (run: Run): string[] => {
  const found = run.profile
  const { answered } = run.measured
  if (found === undefined || answered === 0) return []
  const commands = found.commands.map(({ redis, command, calls, us }) => [
    redis,
    number(us / answered, 1),
    number(calls / answered, 2),
    command,
  ])
  const where = `${nameOf(run)}, microseconds per answer`
  return [
    ...found.processes.map(
      ({ name, functions, modules }) =>
        `${name}: self time by function and by module, ${where}\n${spent(functions, answered)}\n\n${spent(modules, answered)}`,
    ),
    `Redis: time in commands (a script holds those it calls), ${where}\n${table([['redis', 'us', 'calls', 'command'], ...commands], 3)}`,
  ]
}
