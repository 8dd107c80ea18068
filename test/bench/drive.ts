/**
 * How does one job go?
 *
 * Its requests are sent in a closed loop or in an open one (`support/load/loops.ts`), first to warm up, then for the measured
 * time. In a closed loop what is answered within that time belongs to it; what is turned away is not sent again, and whether
 * its connection waits first, as the answer asked, is the job's choice. In an open loop what was *due* in that time belongs to
 * it, whenever it is answered, and its latency is counted from that moment: a request that is sent late has waited since
 * then, as its customer would have (otherwise a shop that stands still for a second would spoil one latency, not those of
 * all who came in that second).
 */
import { closedLoop, type Hire, openLoop } from '../support/load/loops.ts'
import { type Connection, openConnection } from './connection.ts'
import type { Job, Measured } from './load.ts'
import { openTally, type Trouble } from './tally.ts'

/** How long a connection rests after a request that got no answer, so that a dead shop is not flooded with requests. */
const REST_MS = 10

export const drive = async (job: Job, tell: (moment: 'begun' | 'over') => void): Promise<Measured> => {
  const { first, count, connections, perSecond, warmUpMs, measuredMs, obeysRetryAfter = false } = job
  const tally = openTally()
  const all: Connection[] = []
  const dueFrom = performance.now() + warmUpMs
  let begunAt = 0
  let measuring = false
  let ms = 0
  let notSent = 0
  const isDue = (at: number): boolean => at >= dueFrom && at < dueFrom + measuredMs
  const isMeasured = perSecond === undefined ? () => measuring : isDue

  const restOf = ({ what, is, retryAfterMs }: Trouble): number => {
    if (perSecond !== undefined) return 0
    if (is === 'shed') return obeysRetryAfter ? retryAfterMs : 0
    return /^\d+$/.test(what) ? 0 : REST_MS
  }
  const hire: Hire = (free) => {
    const connection = openConnection(job, (number, at, trouble) => {
      if (trouble === undefined) tally.ok(performance.now() - at, isMeasured(at))
      else tally.trouble(number, trouble, isMeasured(at))
      free(trouble === undefined ? 0 : restOf(trouble))
    })
    all.push(connection)
    return connection
  }
  const missed = (dueAt: number): void => {
    if (isDue(dueAt)) notSent += 1
  }
  const loop =
    perSecond === undefined
      ? closedLoop({ hire, width: connections, first, count })
      : openLoop({ hire, perSecond, most: connections, missed, first, count })

  const begin = (): void => {
    begunAt = performance.now()
    measuring = true
    tell('begun')
  }
  const finish = (): void => {
    ms = Math.max(1, performance.now() - begunAt)
    measuring = false
    void loop.stop()
    tell('over')
  }
  const beginning = setTimeout(begin, warmUpMs)
  const finishing = setTimeout(finish, warmUpMs + measuredMs)
  await loop.over
  const usedUp = loop.next() >= first + count
  if (ms === 0) {
    clearTimeout(beginning)
    clearTimeout(finishing)
    if (begunAt === 0) begin()
    finish()
  }
  await Promise.all(all.map(({ close }) => close()))
  return tally.read({ ms, next: loop.next(), usedUp, notSent })
}
