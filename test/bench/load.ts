/**
 * How is the load made, and by whom?
 *
 * By one process of its own (`load-process.ts`), so that what it costs is told apart from what the shop costs. It is given
 * *jobs*, one after the other: requests in a closed loop or in an open one (`drive.ts`), for a while that is not counted
 * and then for the time that is. Every request has a number of its own, which no other request of the
 * job bears. A job ends when its time is over or its numbers are used up, and then waits for what is under way. Nothing is
 * sent twice.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** The tokens of customers, and by thing, whose it is. */
export type Bearers = { readonly tokens: readonly string[]; readonly whose: Uint32Array }

export type Job = {
  readonly origin: string
  readonly method: Method
  /** The path with `{n}` where a request's number goes. */
  readonly path: string
  /** A JSON text, if it has one, with `{n}` and `{next}` where its number and the one after it go. */
  readonly body?: string | undefined
  /** What is sent once that was answered 200 or 201: both are one answer then. */
  readonly followedBy?: { readonly method: Method; readonly path: string } | undefined
  /** What its clients authorise themselves with, if they do. */
  readonly authorization?: string | undefined
  /** Instead: who asks for which thing bears a token of its own. */
  readonly bearers?: Bearers | undefined
  /** How many things the number names, so that it begins again at 0 after so many; default: as many as there are numbers. */
  readonly things?: number | undefined
  readonly first: number
  readonly count: number
  /** How many are under way: all the time in a closed loop, at most in an open one. */
  readonly connections: number
  /** An open loop: so many requests a second. Default: a closed one. */
  readonly perSecond?: number | undefined
  /** In a closed loop: whether a connection that was turned away waits as it is asked to. Default: it goes on at once. */
  readonly obeysRetryAfter?: boolean | undefined
  /** Sent before, and not counted in rate and latencies. */
  readonly warmUpMs: number
  readonly measuredMs: number
}

/** How often an answer was given that was neither 200 nor 201, and the beginning of one. */
export type Oddity = { readonly count: number; readonly example: string }

/** What is promised of a request that was not answered 200: see `tally.ts`. */
export type Exception = 'shed' | 'refused' | 'unsure'

export type Measured = {
  /** 200 answers within the measured time, and how long that was. */
  readonly answered: number
  readonly ms: number
  /** How long a 200 took, within the measured time. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number }
  /** 200 answers from the first to the last request, the warm-up and what was under way at the end included. */
  readonly answeredInAll: number
  /** What was turned away, from the first to the last request, by status; and how much of it within the measured time. */
  readonly shed: Readonly<Record<string, Oddity>>
  readonly shedMeasured: number
  /** Everything else from the first to the last request, by status, or by error where there was no answer. */
  readonly odd: Readonly<Record<string, Oddity>>
  /** The number of the first request that was not sent. */
  readonly next: number
  /** The numbers of the requests that met something else than a 200, at most `EXCEPTIONS_MAX` of each. */
  readonly exceptions: Readonly<Record<Exception, readonly number[]>>
  /** In an open loop: how many were due within the measured time and never sent, because too many were under way. */
  readonly notSent: number
  /** Had all numbers been sent before the time was over? */
  readonly usedUp: boolean
}

/** As many as the orders of a run. */
export const EXCEPTIONS_MAX = 1_000_000

/** What the process says: the measured time begins, it is over, and all is answered. */
export type LoadMessage = { readonly now: 'begun' | 'over' } | { readonly now: 'done'; readonly measured: Measured }

export type Load = AsyncDisposable & {
  readonly pid: number
  /** Does one job; `onMoment` is told when the measured time begins and when it is over. */
  readonly run: (job: Job, onMoment?: (moment: 'begun' | 'over') => void) => Promise<Measured>
}

/** Starts the process. It ends with this one, or when `signal` aborts. */
export const openLoad = async (signal: AbortSignal): Promise<Load> => {
  const child: ChildProcess = fork(join(import.meta.dirname, 'load-process.ts'), {
    detached: true,
    execArgv: [],
    // A list of a million numbers is a matter of milliseconds so.
    serialization: 'advanced',
  })
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', (code, by) =>
      reject(signal.aborted ? signal.reason : new Error(`the load ended: ${code ?? by}`)),
    )
  })
  ended.catch(() => undefined)
  const end = (): void => void child.kill('SIGKILL')
  signal.addEventListener('abort', end, { once: true })
  await Promise.race([once(child, 'spawn'), ended])

  const run: Load['run'] = async (job, onMoment = () => undefined) => {
    const { promise, resolve } = Promise.withResolvers<Measured>()
    const onMessage = (message: LoadMessage): void => {
      if (message.now === 'done') resolve(message.measured)
      else onMoment(message.now)
    }
    child.on('message', onMessage)
    try {
      child.send(job)
      return await Promise.race([promise, ended])
    } finally {
      child.off('message', onMessage)
    }
  }
  return {
    pid: child.pid ?? 0,
    run,
    [Symbol.asyncDispose]: async () => {
      signal.removeEventListener('abort', end)
      if (child.exitCode === null && child.signalCode === null) {
        end()
        await once(child, 'exit')
      }
    },
  }
}
