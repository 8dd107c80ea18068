/**
 * How does the shop do while its replicas die?
 *
 * The same closed loop twice: first in peace, which is the peak, then while one replica after the other, of each service in
 * turn, is killed with SIGKILL and started again at once. The first dies after half of the time between two, so that each
 * such time holds one death. What is safe to repeat the gateway repeats, so a customer should notice nothing of it but
 * time: every request that could have been repeated and was not answered 200 is a failure, also one that was turned away.
 */
import { setTimeout as after } from 'node:timers/promises'
import type { Part } from '../../env/local/managed-process.ts'
import type { Shop } from '../../env/local/shop.ts'
import { isSafeToRepeat } from '../../gateway/proxy/retry.ts'
import { number, table } from '../support/table.ts'
import type { Kill } from './options.ts'
import { kindsOf, median, type Run, rateOf } from './report.ts'
import { ROUTES, type RouteName } from './routes.ts'
import type { Ask, Site } from './site.ts'

/** A replica that was killed, and how long it took until it was ready again. */
export type Death = { readonly part: string; readonly awayMs: number }

export type Kills = { readonly peak: Run; readonly killed: Run; readonly deaths: readonly Death[] }

/** The first replicas of all services, then the second ones, and so on. */
const victimsOf = ({ services }: Shop, { services: chosen }: Kill): Part[] => {
  const most = Math.max(...chosen.map((service) => services[service].length))
  return Array.from({ length: most }, (_, index) => chosen.flatMap((service) => services[service][index] ?? [])).flat()
}

/**
 * Kills one after the other, the first half of `everyMs` after the warm-up, as often as is due in the measured time: a
 * busy machine ends its run later, and is not to see more deaths for that. @throws PartError for one that does not come
 * back.
 */
const killInTurn = async (shop: Shop, kill: Kill, ask: Ask, over: AbortSignal): Promise<Death[]> => {
  const victims = victimsOf(shop, kill)
  const deaths: Death[] = []
  const most = Math.ceil(ask.ms / kill.everyMs - 0.5)
  let dueAt = performance.now() + ask.warmUpMs + kill.everyMs / 2
  for (let turn = 0; turn < most; turn += 1) {
    try {
      await after(Math.max(0, dueAt - performance.now()), undefined, { signal: over })
    } catch (error) {
      if (!over.aborted) throw error
      return deaths
    }
    dueAt += kill.everyMs
    const part = victims[turn % victims.length] as Part
    const killedAt = performance.now()
    await part.kill()
    await part.start()
    deaths.push({ part: part.name, awayMs: performance.now() - killedAt })
  }
  return deaths
}

export const measureKills = async (
  site: Site,
  shop: Shop,
  kill: Kill,
  ask: Ask,
  signal: AbortSignal,
): Promise<Kills> => {
  const peak = await site.run(ask)
  const over = new AbortController()
  const killing = killInTurn(shop, kill, ask, AbortSignal.any([over.signal, signal]))
  // It is awaited only after the run.
  killing.catch(() => undefined)
  const killed = await site.run(ask)
  over.abort()
  return { peak, killed, deaths: await killing }
}

const failuresOf = ({ measured: { odd, shed } }: Run): number =>
  [...Object.values(odd), ...Object.values(shed)].reduce((sum, { count }) => sum + count, 0)

export const kills = ({ peak, killed, deaths }: Kills, route: RouteName, { everyMs }: Kill): string => {
  const { method, path } = ROUTES[route]
  const isSafe = isSafeToRepeat(method, path, false)
  const row = (name: string, run: Run): string[] => {
    const { latencyMs, odd, shed } = run.measured
    const latencies = [latencyMs.p50, latencyMs.p95, latencyMs.p99, latencyMs.max]
    return [
      name,
      number(rateOf(run.measured)),
      ...latencies.map((ms) => number(ms, 2)),
      isSafe ? number(failuresOf(run)) : '-',
      kindsOf([odd, shed]),
    ]
  }
  const head = ['', `${route}/s`, 'p50 ms', 'p95 ms', 'p99 ms', 'max ms', 'failed though safe', 'not 200']
  const away = deaths.map(({ awayMs }) => awayMs)
  const victims = [...new Set(deaths.map(({ part }) => part))].join(', ')
  const share = (100 * rateOf(killed.measured)) / rateOf(peak.measured)
  const examples = Object.entries({ ...killed.measured.shed, ...killed.measured.odd }).map(
    ([kind, { example }]) => `The first ${kind}: ${example}`,
  )
  return [
    table([head, row('in peace', peak), row('with deaths', killed)]),
    `${deaths.length} deaths, one every ${number(everyMs / 1_000, 1)} s (${victims || 'none'}): ${number(share, 1)} % of the peak`,
    ...(deaths.length === 0
      ? []
      : [`Ready again after ${number(median(away))} ms (median), ${number(Math.max(...away))} ms at most`]),
    ...examples,
  ].join('\n')
}
