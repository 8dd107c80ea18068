/**
 * How does load come?
 *
 * In pieces, each with a *number* that no other one bears, done by *workers*, one piece at a time. In a closed loop a worker
 * takes the next number as soon as it is free: ever so many are under way. In an open loop pieces are due at a steady rate,
 * however slow the shop is: each is sent when it is due, by a worker that is free or a new one, and what would be one too many
 * under way is missed. Nothing is allocated for a piece, so that a load that is measured costs next to nothing.
 */

/** Does what a number stands for; `at` is when it was sent, or when it was due. */
export type Worker = { readonly send: (number: number, at: number) => void }
/** Makes a worker, which says after each piece that it is free, at once or after a rest. */
export type Hire = (free: (restMs?: number) => void) => Worker

export type Loop = {
  /** The first number that was not sent. */
  readonly next: () => number
  readonly underWay: () => number
  /** Sends no more; resolves when all that is under way has ended. */
  readonly stop: () => Promise<void>
  /** Resolves when that is so, or all numbers were used up. */
  readonly over: Promise<void>
}

type Common = {
  readonly hire: Hire
  readonly first?: number
  /** How many numbers there are. */
  readonly count?: number
}

export const closedLoop = ({
  hire,
  width,
  first = 0,
  count = Number.POSITIVE_INFINITY,
}: Common & { readonly width: number }): Loop => {
  const end = first + count
  const { promise: over, resolve: finish } = Promise.withResolvers<void>()
  /** Those that rest; they need not be waited for when it is over. */
  const resting = new Set<NodeJS.Timeout>()
  let next = first
  let working = width
  let isStopped = false

  const leave = (): void => {
    working -= 1
    if (working === 0) finish()
  }
  const go = (worker: Worker): void => {
    if (isStopped || next >= end) return leave()
    next += 1
    worker.send(next - 1, performance.now())
  }
  const workers = Array.from({ length: width }, () => {
    const worker = hire((restMs = 0) => {
      if (restMs <= 0 || isStopped) return go(worker)
      const timer = setTimeout(() => {
        resting.delete(timer)
        go(worker)
      }, restMs)
      resting.add(timer)
    })
    return worker
  })
  for (const worker of workers) go(worker)
  if (width === 0) finish()
  return {
    next: () => next,
    underWay: () => working - resting.size,
    over,
    stop: () => {
      isStopped = true
      for (const timer of resting) {
        clearTimeout(timer)
        leave()
      }
      resting.clear()
      return over
    },
  }
}

/** How often it is looked what is due: what comes to the latency of a fast answer. */
const TICK_MS = 1

type OpenOptions = Common & {
  readonly perSecond: number
  /** How many may be under way. */
  readonly most: number
  readonly missed?: (dueAt: number) => void
}

export const openLoop = ({
  hire,
  perSecond,
  most,
  missed = () => undefined,
  first = 0,
  count = Number.POSITIVE_INFINITY,
}: OpenOptions): Loop => {
  const end = first + count
  const { promise: over, resolve: finish } = Promise.withResolvers<void>()
  const startedAt = performance.now()
  const free: Worker[] = []
  let hired = 0
  let next = first
  let due = 0
  let isStopped = false

  const settle = (): void => {
    if (isStopped && free.length === hired) finish()
  }
  const find = (): Worker | undefined => {
    const worker = free.pop()
    if (worker !== undefined || hired >= most) return worker
    hired += 1
    const one: Worker = hire(() => {
      free.push(one)
      settle()
    })
    return one
  }
  const sendDue = (): void => {
    const now = performance.now()
    for (; next < end; due += 1) {
      const dueAt = startedAt + (due * 1_000) / perSecond
      if (dueAt >= now) return
      const worker = find()
      if (worker === undefined) missed(dueAt)
      else {
        next += 1
        worker.send(next - 1, dueAt)
      }
    }
  }
  const stop = (): Promise<void> => {
    if (!isStopped) sendDue()
    isStopped = true
    settle()
    return over
  }
  const tick = (): void => {
    if (isStopped) return
    sendDue()
    if (next >= end) void stop()
    else setTimeout(tick, TICK_MS)
  }
  tick()
  return { next: () => next, underWay: () => hired - free.length, over, stop }
}
