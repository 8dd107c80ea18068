/**
 * How is a process started?
 *
 * In a session of its own, so that Ctrl-C in a terminal reaches the launcher alone, and by `die-with-parent.sh`, so that it
 * ends however the launcher ends. What it writes goes to its log file; if that cannot be written, this is told once, and
 * neither the process nor the launcher ends for it.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'

const DIE_WITH_PARENT = join(import.meta.dirname, 'die-with-parent.sh')
/** The shell's code for a program that cannot be run. */
export const EXIT_NOT_STARTED = 127

/** How a process ended; both are null for one that never ran. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export const describeExit = ({ code, signal }: Exit): string =>
  signal === null ? `exited with code ${code}` : `was ended by ${signal}`

export type LaunchOptions = {
  readonly command: readonly [program: string, ...parameters: string[]]
  readonly cwd: string
  readonly environment: NodeJS.ProcessEnv
  readonly logFile: string
  /** How the process says that it is ready: by the message 'ready' to its parent, or by a line on its standard output. */
  readonly readyBy: 'message' | RegExp
}

/** One process: from spawn to its end. */
export type Run = {
  readonly child: ChildProcess
  readonly exited: Promise<Exit>
  /** Resolves when it says that it is ready. */
  readonly ready: Promise<void>
  readonly startedAt: number
  /** How long its log was when it began. */
  readonly logFrom: number
}

type Log = { readonly fd: number; readonly write: (chunk: Buffer | string) => void; readonly close: () => void }

const openLog = (logFile: string, onUnlogged: (why: string) => void): Log => {
  let isTold = false
  const attempt = (work: () => number): number | undefined => {
    try {
      return work()
    } catch (error) {
      if (!isTold) onUnlogged((error as Error).message)
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

const letGo = (child: ChildProcess): void => {
  const pipe = child.stdio[3] as Duplex | null
  pipe?.end('let go\n')
}

/** @throws what the system says if it has no process or descriptor left. */
export const launch = (options: LaunchOptions, onUnlogged: (why: string) => void): Run => {
  const { command, cwd, environment, logFile, readyBy } = options
  const log = openLog(logFile, onUnlogged)
  const logFrom = fstatSync(log.fd).size
  const byMessage = readyBy === 'message'
  const stdio: StdioOptions = byMessage ? ['ignore', log.fd, log.fd, 'pipe', 'ipc'] : ['ignore', 'pipe', log.fd, 'pipe']
  const child = spawn('/bin/sh', [DIE_WITH_PARENT, ...command], { cwd, env: environment, stdio, detached: true })
  child.stdio[3]?.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') throw error
  })
  const ready = byMessage ? watchMessages(child) : watchOutput(child, log, readyBy)
  child.once('exit', () => letGo(child))
  const exited = new Promise<Exit>((resolve) => {
    child.on('error', (error) => {
      log.write(`${error.message}\n`)
      if (child.pid === undefined) resolve({ code: EXIT_NOT_STARTED, signal: null })
    })
    child.once('close', (code, signal) => resolve({ code, signal }))
  }).finally(log.close)
  return { child, exited, ready, startedAt: performance.now(), logFrom }
}
