/**
 * Who comes when it is due, however slow the shop is? So many requests a second, evenly.
 *
 * A request's latency is counted from the moment when it was *due*: one that is sent late, because the load generator had
 * no time or because too many were under way, has waited since then, as its customer would have (otherwise a shop that
 * stands still for a second would spoil one latency, not those of all who came in that second). To the measured time
 * belongs what was due in it, whenever it is answered. What would be one too many under way is never sent, and told apart.
 */
import { type Connection, openConnection } from './connection.ts'
import type { Job, Measured } from './load.ts'
import { openTally } from './tally.ts'

/** How often it is looked what is due: what comes to the latency of a fast answer. */
const TICK_MS = 1

export const driveOpen = async (
  job: Job & { readonly perSecond: number },
  tell: (moment: 'begun' | 'over') => void,
): Promise<Measured> => {
  const { first, count, connections, perSecond, warmUpMs, measuredMs } = job
  const end = first + count
  const tally = openTally()
  const open: Connection[] = []
  const free: Connection[] = []
  const { promise: over, resolve: finish } = Promise.withResolvers<void>()
  const startedAt = performance.now()
  const begunAt = startedAt + warmUpMs
  const overAt = begunAt + measuredMs
  const isMeasured = (dueAt: number): boolean => dueAt >= begunAt && dueAt < overAt
  let next = first
  let due = 0
  let notSent = 0
  let hasBegun = false
  let ms = 0

  /** One that is free, or a new one. */
  const connect = (): Connection | undefined => {
    const connection = free.pop()
    if (connection !== undefined || open.length >= connections) return connection
    const opened = openConnection(job, (one, number, at, trouble) => {
      if (trouble === undefined) tally.ok(performance.now() - at, isMeasured(at))
      else tally.trouble(number, trouble, isMeasured(at))
      free.push(one)
      if (ms > 0 && free.length === open.length) finish()
    })
    open.push(opened)
    return opened
  }
  const send = (dueAt: number): void => {
    const connection = connect()
    if (connection === undefined) {
      if (isMeasured(dueAt)) notSent += 1
      return
    }
    next += 1
    connection.send(next - 1, dueAt)
  }
  const tick = (): void => {
    const now = performance.now()
    if (!hasBegun && now >= begunAt) {
      hasBegun = true
      tell('begun')
    }
    const until = Math.min(now, overAt)
    for (let dueAt = startedAt + (due * 1_000) / perSecond; dueAt < until && next < end; ) {
      send(dueAt)
      due += 1
      dueAt = startedAt + (due * 1_000) / perSecond
    }
    if (now < overAt && next < end) return void setTimeout(tick, TICK_MS)
    if (!hasBegun) tell('begun')
    ms = Math.max(1, Math.min(now, overAt) - begunAt)
    tell('over')
    if (free.length === open.length) finish()
  }
  tick()
  await over
  await Promise.all(open.map(({ close }) => close()))
  return tally.read({ ms, next, usedUp: next >= end, notSent })
}
