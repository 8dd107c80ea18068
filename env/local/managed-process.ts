/**
 * What is one process of the shop, and how does it live and die?
 *
 * A part is *down*, *starting*, *up* or *waiting* (it died and is started again after a while). `start` takes it from
 * down or waiting through starting to up; `stop` takes it to down, in order if it can; `kill` is a death like any other.
 * A part that dies unbidden waits and starts again if it may restart, else it is down; either way that is told.
 */
import { describeExit, EXIT_NOT_STARTED, type Exit, type LaunchOptions, launch, type Run } from './launch.ts'
import { readTail } from './log-tail.ts'

/** How long a part may take to be ready; a Redis reads its whole file meanwhile. */
const START_MS = 60_000
/** How long a part may take to end in order before it is killed. */
const STOP_MS = 10_000
const RESTART_FIRST_MS = 250
const RESTART_LAST_MS = 10_000
/** A part that was up for so long has recovered: its next death is a first one again. */
const RESTART_FORGET_MS = 30_000

export type PartEvent =
  | { readonly type: 'ready'; readonly part: string; readonly port: number; readonly pid: number; readonly ms: number }
  | {
      readonly type: 'died'
      readonly part: string
      readonly how: string
      readonly tail: string
      /** When it is started again; `undefined`: never. */
      readonly restartMs: number | undefined
    }
  | { readonly type: 'stopped'; readonly part: string }
  /** What it says from now on may be lost: its log file cannot be written, for instance because the disk is full. */
  | { readonly type: 'unlogged'; readonly part: string; readonly why: string }

/** A part did not become ready; the message holds the end of its log. */
export class PartError extends Error {
  override readonly name = 'PartError'
}

export type Part = {
  readonly name: string
  readonly port: number
  readonly url: string
  readonly logFile: string
  readonly pid: number | undefined
  readonly state: 'down' | 'starting' | 'up' | 'waiting'
  /** Settles when the present process has ended; at once, with the last one's end, if there is none. */
  readonly exited: Promise<Exit>
  /** Resolves when the part is ready. @throws PartError */
  readonly start: () => Promise<void>
  /** Ends the part in order, or by force if it takes too long. It stays down. */
  readonly stop: () => Promise<void>
  /** Sends a signal, SIGKILL by default; settles when the process has ended, so do not await a signal it survives. */
  readonly kill: (signal?: NodeJS.Signals) => Promise<Exit>
  readonly freeze: () => void
  readonly thaw: () => void
  /** Sends a message to a part that is ready by message; one that is sent before it listens is kept for it. */
  readonly say: (message: object) => void
  /** Calls the listener with what the part says besides 'ready', also after a restart, until the returned function is called. */
  readonly onMessage: (listener: (message: unknown) => void) => () => void
  /** The last lines of the log file. */
  readonly tail: (lines?: number) => Promise<string>
}

export type PartOptions = LaunchOptions & {
  readonly name: string
  readonly port: number
  readonly url: string
  readonly restart: boolean
  readonly tell: (event: PartEvent) => void
}

/** Resolves when the process is ready; one that is not in time is killed. @throws PartError */
const whenReady = async ({ child, ready, exited, logFrom }: Run, { name, logFile }: PartOptions): Promise<void> => {
  const timeout = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => timeout.reject(new PartError(`${name} was not ready within ${START_MS / 1_000} s`)),
    START_MS,
  )
  try {
    const exit = await Promise.race([ready, exited, timeout.promise])
    if (exit !== undefined) throw new PartError(`${name} ${describeExit(exit)} before it was ready`)
  } catch (error) {
    child.kill('SIGKILL')
    await exited
    const tail = await readTail(logFile, 12, logFrom)
    throw new PartError(`${(error as Error).message}; the end of its log:\n${tail}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

class ManagedProcess implements Part {
  readonly name: string
  readonly port: number
  readonly url: string
  readonly logFile: string
  readonly #options: PartOptions
  #state: Part['state'] = 'down'
  #run: Run | undefined
  #exited: Promise<Exit> = Promise.resolve({ code: null, signal: null })
  #starting: Promise<void> | undefined
  #deaths = 0
  #restarting: NodeJS.Timeout | undefined
  /** Only what was up once is started again by itself: a first start that fails is told to its caller. */
  #mayRestart = false
  #stopping = false
  readonly #listeners = new Set<(message: unknown) => void>()

  constructor(options: PartOptions) {
    this.name = options.name
    this.port = options.port
    this.url = options.url
    this.logFile = options.logFile
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#run?.child.pid
  }

  get state(): Part['state'] {
    return this.#state
  }

  get exited(): Promise<Exit> {
    return this.#exited
  }

  readonly start = (): Promise<void> => {
    if (this.#state === 'up') return Promise.resolve()
    this.#starting ??= this.#begin().finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  readonly stop = async (): Promise<void> => {
    clearTimeout(this.#restarting)
    this.#mayRestart = false
    this.#stopping = true
    if (this.#run === undefined) {
      this.#state = 'down'
      return
    }
    this.kill('SIGTERM')
    this.kill('SIGCONT')
    const timer = setTimeout(this.kill, STOP_MS)
    await this.#exited
    clearTimeout(timer)
    await Promise.allSettled([this.#starting])
    this.#options.tell({ type: 'stopped', part: this.name })
  }

  readonly kill = (signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> => {
    this.#run?.child.kill(signal)
    return this.#exited
  }

  readonly freeze = (): void => void this.kill('SIGSTOP')

  readonly thaw = (): void => void this.kill('SIGCONT')

  readonly say = (message: object): void => {
    if (this.#run === undefined) throw new PartError(`${this.name} is down and hears nothing`)
    this.#run.child.send(message)
  }

  readonly onMessage = (listener: (message: unknown) => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  readonly tail = (lines = 20): Promise<string> => readTail(this.logFile, lines)

  /** Until the process runs nothing is awaited, so that a `stop` that comes at once finds it. */
  async #begin(): Promise<void> {
    const { name, port, restart, tell } = this.#options
    clearTimeout(this.#restarting)
    this.#state = 'starting'
    this.#stopping = false
    const run = this.#launch()
    if (run instanceof Error) return this.#onNoStart(run)
    await whenReady(run, this.#options)
    if (this.#run !== run) throw new PartError(`${name} ended as soon as it was ready`)
    this.#state = 'up'
    this.#mayRestart = restart
    const ms = Math.round(performance.now() - run.startedAt)
    tell({ type: 'ready', part: name, port, pid: run.child.pid ?? 0, ms })
  }

  #launch(): Run | Error {
    const { name, tell } = this.#options
    let run: Run
    try {
      run = launch(this.#options, (why) => tell({ type: 'unlogged', part: name, why }))
    } catch (error) {
      return error as Error
    }
    this.#run = run
    run.child.on('message', (message) => {
      if (message !== 'ready') for (const listener of this.#listeners) listener(message)
    })
    this.#exited = run.exited.then(async (exit) => {
      await this.#onExit(run, exit)
      return exit
    })
    return run
  }

  /** A system that has no process or descriptor left is one more way to die. */
  async #onNoStart(error: Error): Promise<never> {
    await this.#onExit({ startedAt: performance.now(), logFrom: 0 }, { code: EXIT_NOT_STARTED, signal: null })
    throw new PartError(`${this.name} could not be started: ${error.message}`, { cause: error })
  }

  async #onExit({ startedAt, logFrom }: Pick<Run, 'startedAt' | 'logFrom'>, exit: Exit): Promise<void> {
    const wasUp = this.#state === 'up'
    this.#run = undefined
    if (this.#stopping || (!wasUp && !this.#mayRestart)) {
      this.#state = 'down'
      return
    }
    const restartMs = this.#restartMs(startedAt)
    this.#state = restartMs === undefined ? 'down' : 'waiting'
    if (restartMs !== undefined) this.#restarting = setTimeout(this.#startAgain, restartMs)
    const tail = await readTail(this.logFile, 3, logFrom)
    this.#options.tell({ type: 'died', part: this.name, how: describeExit(exit), tail, restartMs })
  }

  /** After how long one that has just died is started again, if it is. */
  #restartMs(startedAt: number): number | undefined {
    this.#deaths = performance.now() - startedAt > RESTART_FORGET_MS ? 1 : this.#deaths + 1
    return this.#options.restart ? Math.min(RESTART_FIRST_MS * 2 ** (this.#deaths - 1), RESTART_LAST_MS) : undefined
  }

  /** A start that fails ends in `#onExit`, which says so and tries again. */
  readonly #startAgain = (): void => {
    this.start().catch((error: unknown) => {
      if (!(error instanceof PartError)) throw error
    })
  }
}

/** A part that is down. Its folder and those of its log must exist. */
export const createPart = (options: PartOptions): Part => new ManagedProcess(options)
