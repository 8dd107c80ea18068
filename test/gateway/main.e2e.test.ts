import { type ChildProcess, execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { Agent } from 'undici'
import { makeFolder } from '../support/folder.ts'
import { type Program, start } from '../support/program.ts'
import { flood, openShop, openSocket, openUpstreams } from '../support/shop/gateway.ts'
import { answer, type Behaviour, type Upstream } from '../support/shop/upstream.ts'

const FLOODS = 100
/** So much of an answer fits into the buffers of the gateway itself, so that the replica need not wait. */
const FLOOD_BYTES = 30_000
/** All requests that these clients have sent take 300 MB: a gateway that keeps them ends. */
const HEAP_MB = 128
/** Of 100,000 that are asked for: a few of each client. */
const SERVED_BEFORE_MAX = 3 * FLOODS
/** The heap, and an answer for each client. */
const GROWN_MAX_MB = 250

const startMain = (t: ExecutionContext, variables: Record<string, string>, flags: readonly string[] = []): Program =>
  start(t, [...flags, 'gateway/main.ts'], {
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', DRAIN_MS: '200', ...variables },
    hasChannel: true,
  })

/** Every service is one replica, at this address. */
const allAt = (origin: string) => ({ ORDER_URLS: origin, PAYMENT_URLS: origin, STOCK_URLS: origin, IDS_URLS: origin })

/** Starts a gateway whose services are all one replica, and waits until it says that it is ready. */
const startGateway = async (
  t: ExecutionContext,
  { origin }: Upstream,
  flags: readonly string[] = [],
): Promise<Program & { readonly origin: string }> => {
  const program = startMain(t, allAt(origin), flags)
  const [message] = await Promise.race([once(program.child, 'message'), program.ended.then(({ errors }) => [errors])])
  t.is(message, 'ready')
  const [, port] = await program.said(/"port":(\d+)/)
  return { ...program, origin: `http://127.0.0.1:${port}` }
}

const openAgent = (t: ExecutionContext): Agent => {
  const agent = new Agent()
  t.teardown(() => agent.destroy())
  return agent
}

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  test(`${signal}, even twice, finishes what is inside, and then it exits with 0`, async (t) => {
    const [upstream] = (await openUpstreams(t, 1)) as [Upstream]
    const { child, ended, origin } = await startGateway(t, upstream)
    const agent = openAgent(t)
    const waiting: (() => void)[] = []
    upstream.behave = (response, received) => waiting.push(() => answer('paid')(response, received))

    const replies = Array.from({ length: 20 }, (_, order) =>
      agent.request({ origin, method: 'POST', path: `/orders/checkout/${order}` }),
    )
    while (waiting.length < replies.length) await upstream.arrival()
    child.kill(signal)
    child.kill(signal)
    const isRefusing = async () => {
      try {
        await (await agent.request({ origin, method: 'GET', path: '/live' })).body.dump()
        return false
      } catch {
        return true
      }
    }
    while (!(await isRefusing())) await upstream.polled()
    for (const reply of waiting) reply()

    for (const reply of await Promise.all(replies)) {
      t.is(reply.statusCode, 200)
      t.is(await reply.body.text(), 'paid')
    }
    t.like(await ended, { code: 0, signal: null })
  })

test('one of two gateways stops under load: no request fails', async (t) => {
  const [upstream] = (await openUpstreams(t, 1)) as [Upstream]
  const slowly: Behaviour = (response, received) => setTimeout(answer(), 5, response, received)
  upstream.behave = slowly
  const [stopping, staying] = await Promise.all([startGateway(t, upstream), startGateway(t, upstream)])
  const agent = openAgent(t)

  let isOver = false
  let served = 0
  // A client that heeds "Connection: close" by going to the other gateway, as a balancer would.
  const worker = async () => {
    let { origin } = stopping
    while (!isOver) {
      const { statusCode, headers, body } = await agent.request({ origin, method: 'POST', path: '/orders/create/7' })
      await body.dump()
      t.is(statusCode, 200)
      if (headers.connection === 'close') origin = staying.origin
      served += 1
    }
  }
  const workers = Array.from({ length: 16 }, worker)
  while (served < 100) await upstream.arrival()
  stopping.child.kill('SIGTERM')
  t.like(await stopping.ended, { code: 0, signal: null })
  const before = served
  while (served < before + 100) await upstream.arrival()
  isOver = true
  await Promise.all(workers)
})

const run = promisify(execFile)

/** The memory that a process has, in MB. */
const memoryMb = async ({ pid }: ChildProcess): Promise<number> =>
  Number((await run('ps', ['-o', 'rss=', '-p', String(pid)])).stdout) / 1_024

test('a hundred clients that send on and on and never read their answers cost it little, and keep nobody waiting', async (t) => {
  t.timeout(120_000)
  const [upstream] = (await openUpstreams(t, 1)) as [Upstream]
  let floods = 0
  upstream.behave = (response, received) => {
    const isFlood = received.url.endsWith('flood')
    if (isFlood) floods += 1
    answer(isFlood ? 'x'.repeat(FLOOD_BYTES) : 'quick')(response, received)
  }
  const { child, origin } = await startGateway(t, upstream, [`--max-old-space-size=${HEAP_MB}`])
  const agent = openAgent(t)
  /** How many floods were served while another waited: so it does not matter how busy this machine is. */
  const servedBefore: number[] = []
  const ask = async (): Promise<void> => {
    const before = floods
    const { statusCode, body } = await agent.request({ origin, method: 'GET', path: '/orders/find/7' })
    t.deepEqual([statusCode, await body.text()], [200, 'quick'])
    servedBefore.push(floods - before)
  }
  await ask()
  const beforeMb = await memoryMb(child)

  for (let client = 0; client < FLOODS; client += 1) {
    const socket = await openSocket(t, Number(new URL(origin).port))
    socket.pause()
    flood(socket, 'GET /orders/find/flood HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(1_000))
    await ask()
  }
  // Until the buffers of both systems are full of answers.
  for (let served = -1; served !== floods; ) {
    served = floods
    for (let polls = 0; polls < 3; polls += 1) {
      await ask()
      await upstream.polled()
    }
  }
  const grownMb = (await memoryMb(child)) - beforeMb
  const mostBefore = Math.max(...servedBefore)
  t.log(`${floods} answers, ${Math.round(grownMb)} MB more, others waited for ${mostBefore} of them at most`)
  t.true(floods > 0)
  t.true(grownMb < GROWN_MAX_MB, `it has ${Math.round(grownMb)} MB more`)
  t.true(mostBefore < SERVED_BEFORE_MAX, `another waited for ${mostBefore} of ${floods} answers`)
})

test('it stops when the process that started it is gone', async (t) => {
  const [upstream] = (await openUpstreams(t, 1)) as [Upstream]
  const { child, ended } = await startGateway(t, upstream)
  child.disconnect()
  t.like(await ended, { code: 0, signal: null })
})

test('a configuration that is wrong is told in one message, all of it, and it exits with 1', async (t) => {
  const { ended } = startMain(t, {
    PORT: 'http',
    ORDER_URLS: 'http://127.0.0.1:1, order:2',
    PAYMENT_URLS: 'http://127.0.0.1:1',
    IDS_URLS: 'http://127.0.0.1:1',
    GATEWAY_TIMEOUT_MS: '-1',
    GATEWAY_WAIT_MS: 'x',
    LOG_LEVEL: 'loud',
  })
  const { code, errors } = await ended
  t.is(code, 1)
  t.is(errors.trim().split('\n').length, 1)
  for (const variable of ['PORT', 'ORDER_URLS', 'STOCK_URLS', 'GATEWAY_TIMEOUT_MS', 'GATEWAY_WAIT_MS', 'LOG_LEVEL'])
    t.regex(errors, new RegExp(`\\b${variable}\\b`))
  t.notRegex(errors, /PAYMENT_URLS|IDS_URLS/)
})

test('a port that is taken is named in one sentence, and it exits with 1', async (t) => {
  const { gateway } = await openShop(t, {})
  const { ended } = startMain(t, { ...allAt('http://127.0.0.1:1'), PORT: String(gateway.port) })
  t.like(await ended, {
    code: 1,
    errors: `gateway cannot start: port ${gateway.port} is in use by another program\n`,
  })
})

/** Imported before a program, it writes the address of each module that is loaded, imported or required, to a file: a pipe may be full. */
const tellLoaded = (file: string): string =>
  `data:text/javascript,${encodeURIComponent(`
  import { appendFileSync } from 'node:fs'
  import { registerHooks } from 'node:module'
  registerHooks({
    load: (url, context, next) => {
      appendFileSync(${JSON.stringify(file)}, url + '\\n')
      return next(url, context)
    },
  })
`)}`

test('it loads no client of a Redis, no framework and no cron: it reaches services only, by undici', async (t) => {
  const [upstream] = (await openUpstreams(t, 1)) as [Upstream]
  const file = join(await makeFolder(t), 'loaded')
  const { child, ended } = await startGateway(t, upstream, ['--import', tellLoaded(file)])
  child.kill('SIGTERM')
  t.like(await ended, { code: 0, errors: '' })
  const loaded = await readFile(file, 'utf8')
  const packages = new Set([...loaded.matchAll(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\//g)].map(([, name = '']) => name))
  for (const name of ['undici', 'pino']) t.true(packages.has(name), name)
  for (const name of ['ioredis', 'redlock', 'node-cron', 'koa', '@koa/router', 'axios'])
    t.false(packages.has(name), name)
  t.notRegex(loaded, /\/shared\/(redis|lock|log|saga|audit|operator|health)\//)
})

test('a gateway that others can reach does not start open, unless it is told so', async (t) => {
  const open = { ...allAt('http://127.0.0.1:9'), HOST: '0.0.0.0' }
  const { code, errors, output } = await startMain(t, open).ended
  t.is(code, 1)
  t.regex(errors + output, /it would be reached on 0\.0\.0\.0.*AUTH=jwt wants tokens, AUTH=open! lets it be so/)
  for (const [variables, said] of [
    [{ ...open, AUTH: 'open!' }, /"level":40.*clients need not say who they are/],
    [allAt('http://127.0.0.1:9'), /"level":30.*clients need not say who they are/],
  ] as const) {
    const program = startMain(t, variables)
    await program.said(said)
    program.child.kill('SIGTERM')
    t.is((await program.ended).code, 0)
  }
})
