/** `npm start` as a whole: what happens to the shop when npm ends, and when nothing more can be written. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import test, { type ExecutionContext } from 'ava'
import { type Client, openClient } from '../../support/client.ts'
import { eventually } from '../../support/eventually.ts'

const ROOT = join(import.meta.dirname, '../../..')
const PARTS = 9
const END_MS = 30_000

const makeFolder = async (t: ExecutionContext): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'shop-npm-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

type Started = {
  readonly npm: ChildProcess
  readonly url: string
  readonly lines: readonly string[]
  readonly output: Interface
  /** The processes of the parts, as they said that they are ready. */
  readonly pids: () => number[]
  /** When npm and the launcher, which share an output, have both ended. */
  readonly closed: Promise<unknown>
}

const start = async (t: ExecutionContext, dir: string): Promise<Started> => {
  const npm = spawn('npm', ['start', '--', '--port', '0', '--data', dir], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => npm.kill('SIGTERM'))
  const closed = once(npm, 'close')
  const lines: string[] = []
  if (npm.stdout === null) throw new Error('impossible')
  const output = createInterface({ input: npm.stdout }).on('line', (line) => lines.push(line))
  const [, url = ''] = await said(output, /^The shop is open at (http:\S+)/, closed)
  const pids = (): number[] => lines.flatMap((line) => (/\(process (\d+)\)$/.exec(line) ?? []).slice(1).map(Number))
  return { npm, url, lines, output, pids, closed }
}

/** Resolves at the next line that matches. */
const said = (output: Interface, pattern: RegExp, closed: Promise<unknown>): Promise<RegExpExecArray> =>
  new Promise((resolve, reject) => {
    output.on('line', (line) => {
      const match = pattern.exec(line)
      if (match !== null) resolve(match)
    })
    closed.then(() => reject(new Error(`it ended without ${pattern}`)))
  })

const visit = (t: ExecutionContext, { url }: Started): Client => {
  const client = openClient(url)
  t.teardown(client.close)
  return client
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const assertEnded = (pids: readonly number[]): Promise<void> =>
  eventually(async () => {
    const left = pids.filter(isRunning)
    if (left.length > 0) throw new Error(`still running: ${left}`)
  }, END_MS)

for (const signal of ['SIGTERM', 'SIGKILL'] as const)
  test.serial(`the shop ends in order when npm is ended by ${signal}, and the next start works`, async (t) => {
    const dir = await makeFolder(t)
    const first = await start(t, dir)
    t.is(first.pids().length, PARTS)
    const user = await visit(t, first).createUser(7)
    first.npm.kill(signal)
    await first.closed
    t.regex(first.lines.at(-1) ?? '', /^The shop has ended/)
    await assertEnded(first.pids())

    const second = await start(t, dir)
    t.is(await visit(t, second).credit(user), 7)
    second.npm.kill('SIGTERM')
    await second.closed
    t.is(second.npm.exitCode, 0)
  })

test.serial('the shop sells while its disk has no room for logs, and what dies comes back', async (t) => {
  const dir = await makeFolder(t)
  await mkdir(join(dir, 'logs'))
  const parts = ['gateway', ...['ids', 'order', 'payment', 'stock'].flatMap((name) => [`${name}-1`, `${name}-redis`])]
  for (const part of parts) await symlink('/dev/full', join(dir, 'logs', `${part}.log`))
  const started = await start(t, dir)
  const { npm, lines, output, pids, closed } = started
  for (const part of ['order-1', 'order-redis']) {
    const [, pid] = new RegExp(`${part} .*process (\\d+)`).exec(lines.join('\n')) ?? []
    const back = said(output, new RegExp(`${part} +ready`), closed)
    process.kill(Number(pid), 'SIGKILL')
    await back
  }
  const client = visit(t, started)
  await eventually(async () => {
    const { order } = await client.createCart({ credit: 5, stock: 1 })
    t.is((await client.checkout(order)).status, 200)
  }, END_MS)
  t.true(lines.some((line) => /order-redis +its log is not written: ENOSPC/.test(line)))
  npm.kill('SIGTERM')
  await closed
  await assertEnded(pids())
})
