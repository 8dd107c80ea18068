import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { redisProgram } from '../../../env/local/redis-program.ts'

const ROOT = join(import.meta.dirname, '../../..')

const makeFolder = async (t: ExecutionContext): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'shop-local-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

type Environment = Record<string, string>

const local = (t: ExecutionContext, parameters: readonly string[], env: Environment = {}): ChildProcess => {
  const child = spawn(process.execPath, [join(ROOT, 'env/local/local.ts'), ...parameters], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

/** Runs it to its end. */
const run = async (t: ExecutionContext, parameters: readonly string[], env: Environment = {}) => {
  const child = local(t, parameters, env)
  if (child.stdout === null || child.stderr === null) throw new Error('impossible')
  const [said, complained, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: code as number, said, complained }
}

/** What it says, and a wait for a line that it is going to say before it ends. */
const listenTo = (child: ChildProcess) => {
  const lines: string[] = []
  const waiting: { pattern: RegExp; resolve: (match: RegExpExecArray) => void; reject: (error: Error) => void }[] = []
  let complaint = ''
  child.stderr?.on('data', (chunk) => {
    complaint += chunk
  })
  child.once('close', () => {
    for (const { pattern, reject } of waiting) reject(new Error(`it ended without ${pattern}: ${complaint}`))
  })
  if (child.stdout === null) throw new Error('impossible')
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    for (const { pattern, resolve } of waiting) {
      const match = pattern.exec(line)
      if (match) resolve(match)
    }
  })
  return {
    lines,
    next: (pattern: RegExp) =>
      new Promise<RegExpExecArray>((resolve, reject) => waiting.push({ pattern, resolve, reject })),
  }
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test.serial('it tells its options', async (t) => {
  const { code, said } = await run(t, ['--help'])
  t.is(code, 0)
  for (const option of ['--port', '--host', '--replicas', '--data']) t.true(said.includes(option))
})

const misuses: [what: string, parameters: string[], complaint: RegExp][] = [
  ['an unknown option', ['--nonsense'], /^Unknown option '--nonsense'; npm start -- --help shows the options\n$/],
  ['a stray word', ['now'], /^Unexpected argument 'now'; npm start -- --help shows the options\n$/],
  ['a port that is none', ['--port', '70000'], /^--port must be a number from 0 to 65535, not "70000"; npm start/],
  ['no replicas', ['--replicas', '0'], /^--replicas must be a number from 1 to 10, not "0"; npm start/],
]
for (const [what, parameters, complaint] of misuses)
  test.serial(`it refuses ${what} in one sentence`, async (t) => {
    const { code, said, complained } = await run(t, parameters)
    t.is(code, 1)
    t.is(said, '')
    t.regex(complained, complaint)
  })

test.serial('it names a busy port in one sentence, and starts nothing', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const data = join(await makeFolder(t), 'data')
  const { code, said, complained } = await run(t, ['--port', String(port), '--data', data])
  t.is(code, 1)
  t.is(said, '')
  t.is(complained, `port ${port} is in use by another program; npm start -- --port N takes another one\n`)
  t.false(existsSync(data))
})

const isInUsualPlace = ['/usr/local/bin', '/opt/homebrew/bin', '/usr/local/opt/redis/bin', '/snap/bin'].some(
  (folder) => existsSync(join(folder, 'redis-server')) || existsSync(join(folder, 'valkey-server')),
)
const whereRedisIsNot = isInUsualPlace ? test.skip : test.serial

whereRedisIsNot('it names the missing redis-server and what installs it, in one sentence', async (t) => {
  const bare = await makeFolder(t)
  const options = ['--port', '0', '--data', join(bare, 'data')]
  const nothing = await run(t, options, { PATH: bare, SHOP_INSTALL: 'no' })
  t.is(nothing.code, 1)
  t.regex(nothing.complained, /^redis-server is missing: install Redis or Valkey 7.0 or newer, or name .*\n$/)

  await writeFile(join(bare, 'brew'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  const installable = await run(t, options, { PATH: bare, SHOP_INSTALL: 'no' })
  t.is(installable.complained, 'redis-server is missing; this installs it: brew install --quiet redis\n')
  const failing = await run(t, options, { PATH: bare })
  t.regex(failing.complained, /^redis-server could not be installed: Command failed: brew install --quiet redis\n$/)
})

whereRedisIsNot('it installs a missing redis-server and says so', async (t) => {
  const bare = await makeFolder(t)
  const program = await redisProgram()
  await writeFile(join(bare, 'brew'), `#!/bin/sh\n/bin/ln -s ${program} ${bare}/redis-server\n`, { mode: 0o755 })
  const child = local(t, ['--port', '0', '--data', join(bare, 'data')], { PATH: bare })
  const { lines, next } = listenTo(child)
  const closed = once(child, 'close')
  await next(/order-redis +ready/)
  t.is(lines[0], 'redis-server is missing; installing it: brew install --quiet redis')
  child.kill('SIGTERM')
  t.deepEqual(await closed, [0, null])
})

test.serial('it refuses a program that is no redis-server, or too old a one', async (t) => {
  const program = join(await makeFolder(t), 'redis-server')
  const refusal = async () => (await run(t, ['--port', '0'], { REDIS_SERVER: program })).complained
  t.is(await refusal(), `REDIS_SERVER names ${program}, which is no program\n`)
  await writeFile(program, '#!/bin/sh\necho "Redis server v=6.2.1 sha=00000000:0"\n')
  await chmod(program, 0o755)
  t.regex(await refusal(), /redis-server is version 6\.2\.1; the shop needs Redis or Valkey 7\.0 or newer/)
  await writeFile(program, '#!/bin/sh\necho "Hello."\n')
  t.regex(await refusal(), /redis-server is no Redis; the shop needs/)
})

test.serial(
  'the shop runs, a part that dies is seen to come back, and SIGINT ends everything in seconds',
  async (t) => {
    const data = join(await makeFolder(t), 'data')
    const child = local(t, ['--port', '0', '--data', data])
    const { lines, next } = listenTo(child)
    const closed = once(child, 'close')
    const [, url = ''] = await next(/^The shop is open at (http:\S+)/)
    t.is((await fetch(`${url}/payment/create_user`, { method: 'POST' })).status, 200)

    const pids = () => lines.flatMap((line) => (/\(process (\d+)\)$/.exec(line) ?? []).slice(1).map(Number))
    t.is(pids().length, 9)
    const [died, back] = [next(/order-1 +was ended by SIGKILL; it is started again in 250 ms/), next(/order-1 +ready/)]
    process.kill(Number(/process (\d+)/.exec(lines.find((line) => /order-1 +ready/.test(line)) ?? '')?.[1]), 'SIGKILL')
    await died
    await back
    t.is(pids().length, 10)

    const askedAt = performance.now()
    child.kill('SIGINT')
    t.deepEqual(await closed, [0, null])
    t.true(performance.now() - askedAt < 10_000)
    t.deepEqual(pids().filter(isRunning), [])
    t.is(lines.filter((line) => / ended$/.test(line)).length, 9)
  },
)

for (const [token, sentence] of [
  ['', /^Operators' routes are open to whoever reaches the shop: OPERATOR_TOKEN=\.\.\. npm start closes them\.$/],
  ['sesame', /^Operators' routes want the OPERATOR_TOKEN\.$/],
] as const)
  test.serial(`it says at the start whether operators' routes are open: ${token === '' ? 'yes' : 'no'}`, async (t) => {
    const data = join(await makeFolder(t), 'data')
    const child = local(t, ['--port', '0', '--data', data], { OPERATOR_TOKEN: token })
    const closed = once(child, 'close')
    const { lines, next } = listenTo(child)
    await next(/^Logs of the parts/)
    child.kill('SIGINT')
    await closed
    t.true(lines.some((line) => sentence.test(line)))
  })
