/** In what words is the result told? Tables of text; nothing here is measured. */
import { number, table } from '../support/table.ts'
import type { Books } from './books.ts'
import { type CpuTimes, MACHINE } from './cpu.ts'
import { LIMIT_CONNECTIONS, type Limits } from './limits.ts'
import type { Measured } from './load.ts'
import { cores } from './options.ts'
import type { RunProfile, Spent } from './profile.ts'

/** One closed loop at one number of connections. */
export type Run = {
  readonly connections: number
  readonly measured: Measured
  /** Processor time of the measured time by role, where it can be known. */
  readonly cpu: CpuTimes | undefined
  readonly profile: RunProfile | undefined
}

/** The role of the load generator among the processor times. */
export const LOAD = 'load'

export const rateOf = ({ answered, ms }: Measured): number => (ms === 0 ? 0 : (answered * 1_000) / ms)

const oddOf = ({ odd }: Measured): string => {
  const kinds = Object.entries(odd).map(([what, { count }]) => `${what}: ${number(count)}`)
  return kinds.length === 0 ? 'none' : kinds.join(', ')
}

const notes = ({ connections, measured }: Run): string[] => [
  ...(measured.usedUp
    ? [`With ${connections} connections all orders were used up after ${number(measured.ms)} ms.`]
    : []),
  ...Object.entries(measured.odd).map(
    ([what, { example }]) => `The first ${what} at ${connections} connections: ${example}`,
  ),
]

/** Rates and latencies; what was not a 200 includes the warm-up. */
export const rates = (runs: readonly Run[]): string => {
  const head = ['connections', 'checkouts/s', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms', 'not 200']
  const rows = runs.map(({ connections, measured }) => {
    const { p50, p95, p99, max } = measured.latencyMs
    const latencies = [p50, p95, p99, max].map((ms) => number(ms, 2))
    return [String(connections), number(rateOf(measured)), ...latencies, oddOf(measured)]
  })
  return [table([head, ...rows]), ...runs.flatMap(notes)].join('\n')
}

/** CPU milliseconds per checkout, by role; and how much of the machine was busy. */
export const cpuTimes = (runs: readonly Run[]): string => {
  const first = runs[0]?.cpu
  if (first === undefined) return 'CPU times are not known here: there is no /proc.'
  const roles = [...first.keys()].filter((role) => role !== LOAD && role !== MACHINE)
  const head = ['connections', ...roles, 'the shop', LOAD, 'cores busy', 'by others']
  const rows = runs.map(({ connections, measured: { answered, ms }, cpu = new Map() }) => {
    const each = (role: string): number => (cpu.get(role) ?? 0) / Math.max(1, answered)
    const shop = roles.reduce((sum, role) => sum + each(role), 0)
    const busy = ((shop + each(LOAD)) * answered) / Math.max(1, ms)
    const cells = [...roles.map(each), shop, each(LOAD)].map((value) => number(value, 3))
    const others = Math.max(0, (cpu.get(MACHINE) ?? 0) / Math.max(1, ms) - busy)
    return [String(connections), ...cells, `${number(busy, 2)} of ${cores}`, number(others, 2)]
  })
  return `CPU milliseconds per checkout\n${table([head, ...rows])}`
}

/** The two limits, and what part of each the shop reaches at as many connections. */
export const limits = ({ koa, koaCpuMs, scriptRate }: Limits, runs: readonly Run[]): string => {
  const like = runs.find(({ connections }) => connections === LIMIT_CONNECTIONS)
  const share = (limit: number): string =>
    like === undefined ? '' : `; the shop reaches ${number((100 * rateOf(like.measured)) / limit, 1)} % of it`
  const { p50, p99 } = koa.latencyMs
  const cpu = koaCpuMs === undefined ? '' : `, CPU ${number(koaCpuMs / Math.max(1, koa.answered), 3)} ms`
  return [
    `Limits, ${LIMIT_CONNECTIONS} at a time`,
    `Koa through the same gateway:  ${number(rateOf(koa))}/s (p50 ${number(p50, 2)} ms, p99 ${number(p99, 2)} ms${cpu}, not 200: ${oddOf(koa)})${share(rateOf(koa))}`,
    `One script in one Redis:       ${number(scriptRate)}/s${share(scriptRate)}`,
  ].join('\n')
}

/** The conservation check in one or two lines, and every complaint. */
export const books = ({ credit, stock, paid, ok, open, negative, isWhole, ordersRead, complaints }: Books): string => {
  const scope = isWhole
    ? `read from the Redis, all ${number(ordersRead)} orders, compared for each user and item`
    : `read by the routes: every user and item, and ${number(ordersRead)} of the orders; what was spent and sold is taken from the answers, what is unfinished inside cannot be seen`
  return [
    `Conservation: ${complaints.length === 0 ? 'holds' : 'BROKEN'} (${scope})`,
    `  credit ${number(credit.added)} added = ${number(credit.left)} left + ${number(credit.spent)} spent`,
    `  stock  ${number(stock.added)} added = ${number(stock.left)} left + ${number(stock.sold)} sold`,
    `  ${number(paid)} ${isWhole ? '' : 'of those '}orders are paid, ${number(ok)} checkouts were answered 200; ${negative} numbers negative, ${open} things unfinished`,
    ...complaints.map((complaint) => `  WRONG: ${complaint}`),
  ].join('\n')
}

const spent = (entries: readonly Spent[], answered: number): string =>
  table(
    entries.map(({ what, us, share }) => [number(us / answered, 1), `${number(100 * share, 1)} %`, what]),
    2,
  )

/** What took the time in each process and each Redis, in microseconds per checkout. */
export const profile = ({ connections, measured: { answered }, profile: found }: Run): string[] => {
  if (found === undefined || answered === 0) return []
  const commands = found.commands.map(({ redis, command, calls, us }) => [
    redis,
    number(us / answered, 1),
    number(calls / answered, 2),
    command,
  ])
  const where = `${connections} connections, microseconds per checkout`
  return [
    ...found.processes.map(
      ({ name, functions, modules }) =>
        `${name}: self time by function and by module, ${where}\n${spent(functions, answered)}\n\n${spent(modules, answered)}`,
    ),
    `Redis: time in commands (a script holds those it calls), ${where}\n${table([['redis', 'us', 'calls', 'command'], ...commands], 3)}`,
  ]
}
