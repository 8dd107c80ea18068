/** A program, started as a person starts it: what it says, line by line, and how it ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'

/** Where the shop's own programs lie. */
export const ROOT = join(import.meta.dirname, '../..')

export type Ended = {
  readonly code: number | null
  readonly signal: string | null
  readonly output: string
  readonly errors: string
}

export type Program = {
  readonly child: ChildProcess
  /** What it has said so far. */
  readonly lines: readonly string[]
  /** The first line that matches, of those from number `from` on. @throws if it ends without one */
  readonly said: (pattern: RegExp, from?: number) => Promise<RegExpExecArray>
  /** When it and everybody who shares its output have ended. */
  readonly ended: Promise<Ended>
}

type Options = {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Instead of Node. */
  readonly command?: string
  /** Whether it can send messages, and sees it when its parent is gone. */
  readonly hasChannel?: boolean
}

/** Starts Node, or another command, with these parameters; the test kills it if it still runs at its end. */
export const start = (
  t: ExecutionContext,
  parameters: readonly string[],
  { cwd = ROOT, env = process.env, command = process.execPath, hasChannel = false }: Options = {},
): Program => {
  const child = spawn(command, parameters, {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe', ...(hasChannel ? (['ipc'] as const) : [])],
  })
  t.teardown(() => child.kill('SIGKILL'))
  // Not `close` of the child: it never comes once the channel was closed from here.
  const exited = once(child, 'exit')
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('impossible: both are piped')
  const lines: string[] = []
  const output = createInterface({ input: stdout }).on('line', (line) => lines.push(line))
  const closed = once(output, 'close')
  const errors = text(stderr)
  const end = async (): Promise<Ended> => {
    const [code, signal] = await exited
    await closed
    return { code, signal, output: lines.map((line) => `${line}\n`).join(''), errors: await errors }
  }
  const ended = end()
  return {
    child,
    lines,
    said: async (pattern, from = 0) => {
      for (let next = from; ; ) {
        for (; next < lines.length; next += 1) {
          const match = pattern.exec(lines[next] ?? '')
          if (match !== null) return match
        }
        const isOver = await Promise.race([once(output, 'line').then(() => false), closed.then(() => true)])
        if (isOver) throw new Error(`it ended without ${pattern}: ${lines.join('\n')}\n${(await ended).errors}`)
      }
    },
    ended,
  }
}

/** Runs it to its end. */
export const run = (t: ExecutionContext, parameters: readonly string[], options?: Options): Promise<Ended> =>
  start(t, parameters, options).ended

/** The processes of the parts of a shop, as its launcher says that they are ready. */
export const processesIn = (lines: readonly string[]): number[] =>
  lines.flatMap((line) => (/\(process (\d+)\)$/.exec(line) ?? []).slice(1).map(Number))

export const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
