/**
 * A real Redis for one test: its own process, port and directory, which can be killed, frozen and started again on what
 * it had written. Durable as the shop demands it: every write is in the append-only file before it is acknowledged.
 * It dies with the test's process, also when that is killed: a shell holds the other end of a pipe and ends it then.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { takePorts } from '../../../env/local/ports.ts'
import { redisProgram } from '../../../env/local/redis-program.ts'

export type RedisServer = AsyncDisposable & {
  readonly url: string
  readonly port: number
  readonly dir: string
  /** SIGKILL: as a crash. What was acknowledged is in the file. */
  kill(): Promise<void>
  /** SIGSTOP: connections stay, nothing answers. */
  freeze(): void
  /** SIGCONT */
  thaw(): void
  /** Starts it again on its port and directory, after killing it if it runs. */
  restart(): Promise<void>
  /** Ends it for good and removes its directory. */
  stop(): Promise<void>
}

const READY_WITHIN_MS = 10_000

/** Resolves when the server accepts connections; rejects with what it said if it ends before. */
const launch = async (program: string, args: readonly string[]): Promise<ChildProcess> => {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const { promise, resolve, reject } = Promise.withResolvers<ChildProcess>()
  const said: string[] = []
  const onLine = (line: string): void => {
    if (said.push(line) > 50) said.shift()
    if (line.includes('Ready to accept connections')) resolve(child)
  }
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine)
  const fail = (why: string): void => reject(new Error(`${program} ${why}: ${said.join('\n')}`))
  child.once('error', (error) => fail(error.message))
  child.once('spawn', () => tieToUs(child))
  child.once('close', (code, signal) => fail(`ended (${code ?? signal})`))
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
    fail(`was not ready within ${READY_WITHIN_MS} ms`)
  }, READY_WITHIN_MS)
  return promise.finally(() => clearTimeout(timer))
}

/** Ends the process when this one is gone, in whatever way: then the pipe closes, and `read` returns. */
const tieToUs = (child: ChildProcess): void => {
  const tie = spawn('sh', ['-c', 'read _; kill -9 "$0"', String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'] })
  child.once('exit', () => tie.kill('SIGKILL'))
}

/** Starts a server on a free port; `args` come after, and so override, the durable defaults. */
export const startRedis = async (options: { readonly args?: readonly string[] } = {}): Promise<RedisServer> => {
  const program = await redisProgram()
  const dir = await mkdtemp(join(tmpdir(), 'redis-'))
  const start = (port: number): Promise<ChildProcess> =>
    launch(program, [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''],
      ...['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'],
      ...['--enable-debug-command', 'local', ...(options.args ?? [])],
    ])

  const block = await takePorts(1)
  const [port = 0] = block.ports
  let child = await start(port)

  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  const stop = async (): Promise<void> => {
    await kill()
    await rm(dir, { recursive: true, force: true })
    await block.release()
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    kill,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    restart: async () => {
      await kill()
      child = await start(port)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
