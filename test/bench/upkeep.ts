/**
 * What does a finished checkout leave behind, and what does it cost to have much?
 *
 * Records, log entries and keys of requests are kept until the retention ends: `used_memory` of each Redis before and after
 * the runs, divided by what was answered between, says how much that is. And a run of each log parser, on demand while the
 * shop is idle, says whether it costs by what is unfinished (nothing, then) or by what exists.
 */

import { Redis } from 'ioredis'
import type { Shop } from '../../env/local/shop.ts'
import { SERVICES, type Service } from '../../shared/contract/services.ts'
import { number, table } from '../support/table.ts'
import { median, type Unit } from './report.ts'
import { command } from './seed.ts'

const PARSER_RUNS = 7
const MB = 1_000_000
/** The routes of a service begin with this. */
const PREFIXES: Readonly<Record<Service, string>> = { ids: 'ids', order: 'orders', payment: 'payment', stock: 'stock' }

/** Bytes that each Redis uses. */
export type Memory = Readonly<Record<Service, number>>

const ofEach = async <Result>(ask: (service: Service) => Promise<Result>): Promise<Record<Service, Result>> => {
  const answers: [Service, Result][] = []
  for (const service of SERVICES) answers.push([service, await ask(service)])
  return Object.fromEntries(answers) as Record<Service, Result>
}

export const readMemory = ({ redis }: Shop): Promise<Memory> =>
  ofEach(async (service) => {
    const connection = new Redis(redis[service].url)
    try {
      return Number(/^used_memory:(\d+)/m.exec(await connection.info('memory'))?.[1])
    } finally {
      connection.disconnect()
    }
  })

/** Milliseconds that one run of each log parser takes, asked for through the gateway. */
const parserTimes = (origin: string, signal: AbortSignal, token?: string): Promise<Readonly<Record<Service, number>>> =>
  ofEach(async (service) => {
    const times: number[] = []
    for (let run = 0; run < PARSER_RUNS; run += 1) {
      const begunAt = performance.now()
      await command(origin, `/${PREFIXES[service]}/fault_tolerance`, signal, token)
      times.push(performance.now() - begunAt)
    }
    return median(times)
  })

export type Upkeep = {
  readonly before: Memory
  readonly after: Memory
  /** How many answers of 200 lie between. */
  readonly answered: number
  readonly parserMs: Readonly<Record<Service, number>>
}

/** To be called when all is settled. */
export const measureUpkeep = async (
  shop: Shop,
  before: Memory,
  answered: number,
  signal: AbortSignal,
  token?: string,
): Promise<Upkeep> => ({
  before,
  after: await readMemory(shop),
  answered,
  parserMs: await parserTimes(shop.url, signal, token),
})

export const upkeep = ({ before, after, answered, parserMs }: Upkeep, { one, many }: Unit): string => {
  const rows = SERVICES.map((service) => [
    service,
    number(after[service] / MB, 1),
    number((after[service] - before[service]) / Math.max(1, answered)),
    number(parserMs[service], 1),
  ])
  const head = ['service', 'Redis MB', `bytes per ${one}`, 'log parser ms']
  return `What is kept of ${number(answered)} ${many}, and one run of the log parser (median of ${PARSER_RUNS}, nothing unfinished)\n${table([head, ...rows])}`
}
