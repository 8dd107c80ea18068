/**
 * What is one process of the shop, and how does it live and die?
 *
 * A part is *down*, *starting*, *up* or *waiting* (it died and is started again after a while). `start` takes it from
 * down or waiting through starting to up; `stop` takes it to down, in order if it can; `kill` is a death like any other.
 * A part that dies unbidden waits and starts again if it may restart, else it is down; either way that is told.
 * It runs in a session of its own, so that Ctrl-C in a terminal reaches the launcher alone, and on a leash (`die-with-parent.sh`),
 * so that it ends however the launcher ends. What it writes goes to its log file; if that cannot be written or read, this is
 * told once, and neither the part nor the launcher ends for it.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'

const LEASH = join(import.meta.dirname, 'die-with-parent.sh')
/** How long a part may take to be ready; a Redis reads its whole file meanwhile. */
const START_MS = 60_000
/** How long a part may take to end in order before it is killed. */
const STOP_MS = 10_000
const RESTART_FIRST_MS = 250
const RESTART_LAST_MS = 10_000
/** A part that was up for so long has recovered: its next death is a first one again. */
const RESTART_FORGET_MS = 30_000
const TAIL_LINE_BYTES = 1_024
/** The shell's code for a program that cannot be run. */
const EXIT_NOT_STARTED = 127

/** How a process ended; both are null for one that never ran. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

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
  /** Hears what the part says besides 'ready', whichever process it is, until the function that is returned is called. */
  readonly hear: (listener: (message: unknown) => void) => () => void
  /** The last lines of the log file. */
  readonly tail: (lines?: number) => Promise<string>
}

export type PartOptions = {
  readonly name: string
  readonly port: number
  readonly url: string
  readonly command: readonly [program: string, ...parameters: string[]]
  readonly cwd: string
  readonly environment: NodeJS.ProcessEnv
  readonly logFile: string
  /** How a part says that it is ready: by the message 'ready' to its parent, or by a line on its standard output. */
  readonly readyBy: 'message' | RegExp
  readonly restart: boolean
  readonly tell: (event: PartEvent) => void
}

export const describeExit = ({ code, signal }: Exit): string =>
  signal === null ? `exited with code ${code}` : `was ended by ${signal}`

/**
 * The last lines of a file; fewer if they are longer than usual. If it cannot be read, why. What was in it up to `from` is
 * none of them, unless it has become shorter since.
 */
const readTail = async (file: string, lines: number, from = 0): Promise<string> => {
  try {
    return await readEnd(file, lines, from)
  } catch (error) {
    return `(the log cannot be read: ${(error as Error).message})`
  }
}

const readEnd = async (file: string, lines: number, from: number): Promise<string> => {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const buffer = Buffer.alloc(Math.min(from > size ? size : size - from, lines * TAIL_LINE_BYTES))
    const { bytesRead } = await handle.read({ buffer, position: size - buffer.length })
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-lines).join('\n')
  } finally {
    await handle.close()
  }
}

/** One process: from spawn to its end. */
type Run = {
  readonly child: ChildProcess
  readonly exited: Promise<Exit>
  readonly ready: Promise<void>
  readonly startedAt: number
  /** How long its log was when it began. */
  readonly logFrom: number
}

const letGo = (child: ChildProcess): void => {
  const leash = child.stdio[3] as Duplex | null
  leash?.end('let go\n')
}

type Log = { readonly fd: number; readonly write: (chunk: Buffer | string) => void; readonly close: () => void }

const openLog = ({ name, logFile, tell }: PartOptions): Log => {
  let isTold = false
  const attempt = (deed: () => number): number | undefined => {
    try {
      return deed()
    } catch (error) {
      if (!isTold) tell({ type: 'unlogged', part: name, why: (error as Error).message })
      isTold = true
      return undefined
    }
  }
  const fd = attempt(() => openSync(logFile, 'a', 0o600)) ?? openSync('/dev/null', 'a')
  return {
    fd,
    write: (chunk) => void attempt(() => writeSync(fd, Buffer.from(chunk))),
    close: () => closeSync(fd),
  }
}

/** Copies what a Redis says to its log file, and resolves at the line that matches. */
const watchOutput = (child: ChildProcess, log: Log, line: RegExp): Promise<void> =>
  new Promise((resolve) => {
    let said = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      log.write(chunk)
      if (line.test(said)) return
      said += chunk.toString('utf8')
      if (line.test(said)) resolve()
    })
  })

const watchMessages = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => child.on('message', (message) => message === 'ready' && resolve()))

const launch = (options: PartOptions): Run => {
  const { name, command, cwd, environment, logFile, readyBy } = options
  const log = openLog(options)
  const logFrom = fstatSync(log.fd).size
  const byMessage = readyBy === 'message'
  const stdio: StdioOptions = byMessage ? ['ignore', log.fd, log.fd, 'pipe', 'ipc'] : ['ignore', 'pipe', log.fd, 'pipe']
  const child = spawn('/bin/sh', [LEASH, ...command], { cwd, env: environment, stdio, detached: true })
  child.stdio[3]?.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') throw error
  })
  const said = byMessage ? watchMessages(child) : watchOutput(child, log, readyBy)
  child.once('exit', () => letGo(child))
  const exited = new Promise<Exit>((resolve) => {
    child.on('error', (error) => {
      log.write(`${error.message}\n`)
      if (child.pid === undefined) resolve({ code: EXIT_NOT_STARTED, signal: null })
    })
    child.once('close', (code, signal) => resolve({ code, signal }))
  }).finally(log.close)

  const waitUntilReady = async (): Promise<void> => {
    const patience = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => patience.reject(new PartError(`${name} was not ready within ${START_MS / 1_000} s`)),
      START_MS,
    )
    try {
      const exit = await Promise.race([said, exited, patience.promise])
      if (exit !== undefined) throw new PartError(`${name} ${describeExit(exit)} before it was ready`)
    } catch (error) {
      child.kill('SIGKILL')
      await exited
      throw new PartError(`${(error as Error).message}; the end of its log:\n${await readTail(logFile, 12, logFrom)}`, {
        cause: error,
      })
    } finally {
      clearTimeout(timer)
    }
  }
  return { child, exited, ready: waitUntilReady(), startedAt: performance.now(), logFrom }
}

/** A part that is down. Its folder and those of its log must exist. */
export const createPart = (options: PartOptions): Part => {
  const { name, port, url, logFile, restart, tell } = options
  let state: Part['state'] = 'down'
  let run: Run | undefined
  let exited: Promise<Exit> = Promise.resolve({ code: null, signal: null })
  let deaths = 0
  let restarting: NodeJS.Timeout | undefined
  /** Only what was up once is started again by itself: a first start that fails is told to whoever asked for it. */
  let mayRestart = false
  let stopping = false
  const listeners = new Set<(message: unknown) => void>()

  const onExit = async ({ startedAt, logFrom }: Pick<Run, 'startedAt' | 'logFrom'>, exit: Exit): Promise<void> => {
    const wasUp = state === 'up'
    run = undefined
    if (stopping || (!wasUp && !mayRestart)) {
      state = 'down'
      return
    }
    deaths = performance.now() - startedAt > RESTART_FORGET_MS ? 1 : deaths + 1
    const restartMs = restart ? Math.min(RESTART_FIRST_MS * 2 ** (deaths - 1), RESTART_LAST_MS) : undefined
    state = restartMs === undefined ? 'down' : 'waiting'
    if (restartMs !== undefined) restarting = setTimeout(startAgain, restartMs)
    tell({ type: 'died', part: name, how: describeExit(exit), tail: await readTail(logFile, 3, logFrom), restartMs })
  }

  /** A system that has no process or descriptor left is one more way to die. */
  const onNoStart = async (error: unknown): Promise<never> => {
    await onExit({ startedAt: performance.now(), logFrom: 0 }, { code: EXIT_NOT_STARTED, signal: null })
    throw new PartError(`${name} could not be started: ${(error as Error).message}`, { cause: error })
  }

  /** Until the process runs nothing is awaited: whoever stops the part at once finds it. */
  const begin = async (): Promise<void> => {
    clearTimeout(restarting)
    state = 'starting'
    stopping = false
    let begun: Run
    try {
      begun = launch(options)
    } catch (error) {
      return onNoStart(error)
    }
    run = begun
    begun.child.on('message', (message) => {
      if (message !== 'ready') for (const listener of listeners) listener(message)
    })
    exited = begun.exited.then(async (exit) => {
      await onExit(begun, exit)
      return exit
    })
    await begun.ready
    if (run !== begun) throw new PartError(`${name} ended as soon as it was ready`)
    state = 'up'
    mayRestart = restart
    tell({
      type: 'ready',
      part: name,
      port,
      pid: begun.child.pid ?? 0,
      ms: Math.round(performance.now() - begun.startedAt),
    })
  }

  let starting: Promise<void> | undefined
  const start = (): Promise<void> => {
    if (state === 'up') return Promise.resolve()
    starting ??= begin().finally(() => {
      starting = undefined
    })
    return starting
  }

  /** A start that fails ends in `onExit`, which says so and tries again. */
  const startAgain = (): void => {
    start().catch((error: unknown) => {
      if (!(error instanceof PartError)) throw error
    })
  }

  const kill = (signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> => {
    run?.child.kill(signal)
    return exited
  }

  const stop = async (): Promise<void> => {
    clearTimeout(restarting)
    mayRestart = false
    stopping = true
    if (run === undefined) {
      state = 'down'
      return
    }
    kill('SIGTERM')
    kill('SIGCONT')
    const timer = setTimeout(kill, STOP_MS)
    await exited
    clearTimeout(timer)
    await Promise.allSettled([starting])
    tell({ type: 'stopped', part: name })
  }

  return {
    name,
    port,
    url,
    logFile,
    get pid() {
      return run?.child.pid
    },
    get state() {
      return state
    },
    get exited() {
      return exited
    },
    start,
    stop,
    kill,
    freeze: () => void kill('SIGSTOP'),
    thaw: () => void kill('SIGCONT'),
    say: (message) => {
      if (run === undefined) throw new PartError(`${name} is down and hears nothing`)
      run.child.send(message)
    },
    hear: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    tail: (lines = 20) => readTail(logFile, lines),
  }
}
