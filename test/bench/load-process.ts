/**
 * Sends what a job wants, over as many connections as it wants. See `load.ts` for what a job is.
 *
 * It shares the machine's cores with the shop, so it does as little as it can: one undici client per connection, and per
 * connection one handler for all its requests.
 */
import { createHistogram } from 'node:perf_hooks'
import { Client, type Dispatcher } from 'undici'
import { type Job, type LoadMessage, type Measured, ODD_NUMBERS_MAX, type Oddity } from './load.ts'

/** Longer than a checkout's deadline: who has no answer by then gets none. */
const ANSWER_MS = 30_000
/** How long a connection rests after a request that got no answer, so that a dead shop is not stormed. */
const REST_MS = 10
const EXAMPLE_CHARACTERS = 300
const HOUR_US = 3_600_000_000

const tell = (message: LoadMessage): void => {
  if (process.connected) process.send?.(message)
}

const drive = async (job: Job): Promise<Measured> => {
  const { origin, method, path, first, count, connections, warmUpMs, measuredMs } = job
  const [before = '', after = ''] = path.split('{n}')
  const end = first + count
  const histogram = createHistogram({ lowest: 1, highest: HOUR_US, figures: 3 })
  const odd: Record<string, { count: number; example: string }> = {}
  const oddNumbers: number[] = []
  const idle = Promise.withResolvers<void>()
  let next = first
  let measuring = false
  let stopped = false
  let underWay = connections
  let answered = 0
  let answeredInAll = 0

  const note = (number: number, what: string, example: string): void => {
    const known: Oddity = odd[what] ?? { count: 0, example }
    odd[what] = { count: known.count + 1, example: known.example }
    if (oddNumbers.length < ODD_NUMBERS_MAX) oddNumbers.push(number)
  }

  const openConnection = (): { send: () => void; close: () => Promise<void> } => {
    const client = new Client(origin, { pipelining: 1, headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS })
    let number = 0
    let sentAt = 0
    let status = 0
    let body = ''

    const send = (): void => {
      if (stopped || next >= end) {
        underWay -= 1
        if (underWay === 0) idle.resolve()
        return
      }
      number = next
      next += 1
      sentAt = performance.now()
      client.dispatch({ method, path: before + number + after }, handler)
    }
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_, code) => {
        status = code
        body = ''
      },
      onResponseData: (_, chunk) => {
        if (status !== 200 && body.length < EXAMPLE_CHARACTERS) body += chunk.toString()
      },
      onResponseEnd: () => {
        if (status !== 200) note(number, String(status), body.slice(0, EXAMPLE_CHARACTERS))
        else {
          answeredInAll += 1
          if (measuring) {
            answered += 1
            histogram.record(Math.max(1, Math.round((performance.now() - sentAt) * 1_000)))
          }
        }
        send()
      },
      onResponseError: (_, error) => {
        note(number, (error as NodeJS.ErrnoException).code ?? error.name, error.message)
        setTimeout(send, REST_MS)
      },
    }
    return { send, close: () => client.destroy() }
  }

  let begunAt = 0
  let ms = 0
  const begin = (): void => {
    begunAt = performance.now()
    measuring = true
    tell({ now: 'begun' })
  }
  const finish = (): void => {
    ms = performance.now() - begunAt
    measuring = false
    stopped = true
    tell({ now: 'over' })
  }
  const beginning = setTimeout(begin, warmUpMs)
  const finishing = setTimeout(finish, warmUpMs + measuredMs)
  const all = Array.from({ length: connections }, openConnection)
  for (const { send } of all) send()
  await idle.promise
  const usedUp = !stopped
  if (usedUp) {
    clearTimeout(beginning)
    clearTimeout(finishing)
    if (begunAt === 0) begin()
    finish()
  }
  await Promise.all(all.map(({ close }) => close()))

  const percentile = (share: number): number => (answered === 0 ? 0 : histogram.percentile(share) / 1_000)
  const latencyMs = {
    p50: percentile(50),
    p95: percentile(95),
    p99: percentile(99),
    max: answered === 0 ? 0 : histogram.max / 1_000,
  }
  return { answered, ms, latencyMs, answeredInAll, odd, next, oddNumbers, usedUp }
}

process.on('message', async (job: Job) => tell({ now: 'done', measured: await drive(job) }))
process.once('disconnect', () => process.exit())
