/**
 * Who sends its next request as soon as its last one is answered? So many connections, and each one all the time.
 *
 * What is turned away is not sent again: the next request has the next number. Whether its connection waits first, as the
 * answer asked, is the job's choice.
 */
import { type Connection, openConnection } from './connection.ts'
import type { Job, Measured } from './load.ts'
import { openTally, type Trouble } from './tally.ts'

/** How long a connection rests after a request that got no answer, so that a dead shop is not stormed. */
const REST_MS = 10

export const driveClosed = async (job: Job, tell: (moment: 'begun' | 'over') => void): Promise<Measured> => {
  const { first, count, connections, warmUpMs, measuredMs, obeysRetryAfter = false } = job
  const end = first + count
  const tally = openTally()
  const idle = Promise.withResolvers<void>()
  let next = first
  let measuring = false
  let stopped = false
  let underWay = connections
  /** Those that rest; they need not be waited for when the time is over. */
  const resting = new Set<NodeJS.Timeout>()

  const leave = (): void => {
    underWay -= 1
    if (underWay === 0) idle.resolve()
  }
  const send = (connection: Connection): void => {
    if (stopped || next >= end) return leave()
    next += 1
    connection.send(next - 1, performance.now())
  }
  const rest = (connection: Connection, ms: number): void => {
    const timer = setTimeout(() => {
      resting.delete(timer)
      send(connection)
    }, ms)
    resting.add(timer)
  }
  const restOf = ({ what, is, retryAfterMs }: Trouble): number => {
    if (is === 'shed') return obeysRetryAfter ? retryAfterMs : 0
    return /^\d+$/.test(what) ? 0 : REST_MS
  }
  const all = Array.from({ length: connections }, () =>
    openConnection(job, (connection, number, at, trouble) => {
      if (trouble === undefined) tally.ok(performance.now() - at, measuring)
      else tally.trouble(number, trouble, measuring)
      const restMs = trouble === undefined ? 0 : restOf(trouble)
      if (restMs > 0 && !stopped) rest(connection, restMs)
      else send(connection)
    }),
  )

  let begunAt = 0
  let ms = 0
  const begin = (): void => {
    begunAt = performance.now()
    measuring = true
    tell('begun')
  }
  const finish = (): void => {
    ms = performance.now() - begunAt
    measuring = false
    stopped = true
    tell('over')
    for (const timer of resting) {
      clearTimeout(timer)
      leave()
    }
    resting.clear()
  }
  const beginning = setTimeout(begin, warmUpMs)
  const finishing = setTimeout(finish, warmUpMs + measuredMs)
  for (const connection of all) send(connection)
  await idle.promise
  const usedUp = !stopped
  if (usedUp) {
    clearTimeout(beginning)
    clearTimeout(finishing)
    if (begunAt === 0) begin()
    finish()
  }
  await Promise.all(all.map(({ close }) => close()))
  return tally.read({ ms, next, usedUp, notSent: 0 })
}
