import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { PartError } from '../../../env/local/managed-process.ts'
import { takePorts } from '../../../env/local/ports.ts'
import { redisProgram } from '../../../env/local/redis-program.ts'
import { type ShopOptions, startShop } from '../../../env/local/shop.ts'
import { SERVICES } from '../../../shared/contract/services.ts'
import { makeFolder } from '../../support/folder.ts'
import { listener } from '../../support/parts.ts'

const POLL_MS = 20

/** As little of a service as the launcher can see: says that it is ready, answers with its variables, ends when told. */
const STAND_IN = `
import { createServer } from 'node:http'
const server = createServer((request, response) => response.end(JSON.stringify(process.env)))
server.listen(Number(process.env.PORT), process.env.HOST, () => process.send('ready'))
const end = () => process.exit(0)
process.on('SIGTERM', end)
process.on('disconnect', end)
`

/** A folder of stand-ins, so that only the launcher is tried. */
const standIns = async (t: ExecutionContext, scripts: { [part: string]: string } = {}): Promise<string> => {
  const root = await makeFolder(t)
  for (const part of [...SERVICES, 'gateway']) {
    await mkdir(join(root, part))
    await writeFile(join(root, part, 'main.ts'), scripts[part] ?? STAND_IN)
  }
  await writeFile(join(root, 'package.json'), '{"type":"module"}')
  return root
}

const open = async (t: ExecutionContext, options: ShopOptions) => {
  const shop = await startShop(options)
  t.teardown(shop.stop)
  return shop
}

/** Connects, so that its end tells that whoever listened there has ended. */
const hold = async (port: number) => {
  const socket = createConnection({ port, host: '127.0.0.1' })
  socket.on('error', () => socket.destroy())
  const closed = new Promise((resolve) => socket.resume().once('close', resolve))
  await once(socket, 'connect')
  return { closed }
}

const isTaken = async (port: number): Promise<boolean> => {
  const socket = createConnection({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** SCHED_BATCH, as in the 41st field of `/proc/<pid>/stat`. */
const BATCH = 3

test.serial('where the system can, no process interrupts another one because it is woken', async (t) => {
  const canBatch = spawnSync('chrt', ['-b', '0', 'true']).status === 0
  const shop = await open(t, { root: await standIns(t) })
  t.is(shop.parts.length, 9)
  for (const { name, pid } of shop.parts) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    t.is(Number(fields[38]), canBatch ? BATCH : 0, name)
  }
})

test.serial('everybody is told whom to reach, and a spare replica starts when it is called', async (t) => {
  const seen: string[] = []
  const shop = await open(t, {
    root: await standIns(t),
    replicas: { stock: 2 },
    spare: { order: 1 },
    env: { all: { A: 'all', B: 'all', C: 'all' }, stock: { B: 'stock', C: 'stock' }, 'stock-2': { C: 'second' } },
    route: ({ from, to, url }) => {
      seen.push(`${from} ${to}`)
      return from === 'order-1' && to === 'stock-redis' ? 'redis://proxy:1' : url
    },
  })
  const environmentOf = async (url: string) => (await (await fetch(url)).json()) as Record<string, string>

  const gateway = await environmentOf(shop.url)
  t.is(gateway.ORDER_URLS, shop.services.order.map(({ url }) => url).join(','))
  t.is(gateway.STOCK_URLS, shop.services.stock.map(({ url }) => url).join(','))
  const [first, second] = shop.services.order
  const order = await environmentOf(first?.url ?? '')
  t.is(order.REDIS_URL, shop.redis.order.url)
  t.is(order.PAYMENT_REDIS_URL, shop.redis.payment.visitorUrl('order'))
  t.is(order.STOCK_REDIS_URL, 'redis://proxy:1')
  t.is(order.REPLICA, 'order-1')
  t.false(seen.includes('payment-1 ids-redis'), 'nobody visits the Redis of ids')
  const stock = await environmentOf(shop.services.stock[1]?.url ?? '')
  t.deepEqual([stock.A, stock.B, stock.C], ['all', 'stock', 'second'])

  t.is(second?.state, 'down')
  await second?.start()
  t.is((await environmentOf(second?.url ?? '')).REPLICA, 'order-2')
})

test.serial('a part that dies is told of and started again, on its port and with its data', async (t) => {
  const { onEvent, next } = listener()
  const shop = await open(t, { root: await standIns(t), restart: true, onEvent })
  for (const part of [shop.redis.stock, ...shop.services.order]) {
    const { pid } = part
    const [died, ready] = [next('died', part.name), next('ready', part.name)]
    t.deepEqual(await part.kill(), { code: null, signal: 'SIGKILL' })
    t.like(await died, { how: 'was ended by SIGKILL', restartMs: 250 })
    t.is((await ready).port, part.port)
    t.not(part.pid, pid)
  }
})

test.serial('a part that may not restart stays down until it is started', async (t) => {
  const { onEvent, next } = listener()
  const shop = await open(t, { root: await standIns(t), onEvent })
  const part = shop.redis.payment
  const died = next('died', part.name)
  await part.kill()
  t.is((await died).restartMs, undefined)
  t.is(part.state, 'down')
  await part.start()
  t.is(part.state, 'up')
  t.regex(await part.tail(), /Ready to accept connections/)
})

test.serial('a frozen part is stopped in order', async (t) => {
  const shop = await startShop({ root: await standIns(t) })
  shop.redis.order.freeze()
  for (const part of shop.services.stock) part.freeze()
  await shop.stop()
  t.deepEqual(await shop.redis.order.exited, { code: 0, signal: null })
  t.true(shop.parts.every(({ state }) => state === 'down'))
})

test.serial('a part that does not start is named with the end of its log, and nothing stays behind', async (t) => {
  const ports: number[] = []
  const failed = startShop({
    root: await standIns(t, { payment: "console.log('the till is empty'); process.exit(3)" }),
    onEvent: (event) => void (event.type === 'ready' && ports.push(event.port)),
  })
  const error = await t.throwsAsync(failed, { instanceOf: PartError })
  t.regex(error.message, /^payment-1 exited with code 3 before it was ready; the end of its log:\nthe till is empty$/)
  t.true(ports.length >= 4)
  for (const port of ports) t.false(await isTaken(port))
})

test.serial('a start can be given up', async (t) => {
  const giveUp = new AbortController()
  const silent = "process.on('SIGTERM', () => process.exit(0)); setInterval(() => undefined, 1_000)"
  const failed = startShop({
    root: await standIns(t, { payment: silent }),
    signal: giveUp.signal,
    onEvent: (event) => event.type === 'ready' && event.part === 'gateway' && giveUp.abort(new Error('enough')),
  })
  await t.throwsAsync(failed, { message: 'enough' })
})

test.serial(
  'a data folder is used by one shop at a time, and its passwords are made once, for its owner only',
  async (t) => {
    const [root, dir] = [await standIns(t), await makeFolder(t)]
    const first = await startShop({ root, dir })
    await t.throwsAsync(startShop({ root, dir }), { message: /another shop is running on the data folder/ })
    const passwords = await readFile(join(dir, 'passwords.json'), 'utf8')
    t.is((await stat(join(dir, 'passwords.json'))).mode & 0o777, 0o600)
    await first.stop()

    await open(t, { root, dir })
    t.is(await readFile(join(dir, 'passwords.json'), 'utf8'), passwords)
  },
)

test.serial('a Redis that was left running on the data folder is ended first, whatever else is known', async (t) => {
  const [root, dir] = [await standIns(t), await makeFolder(t)]
  const first = await startShop({ root, dir })
  const { port } = first.redis.order
  const pidFile = join(first.redis.order.dir, 'redis.pid')
  await first.stop()

  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', first.redis.order.dir, '--pidfile', pidFile]
  const leftover = spawn(await redisProgram(), settings, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => leftover.kill('SIGKILL'))
  const ended = once(leftover, 'exit')
  for await (const chunk of leftover.stdout) if (String(chunk).includes('Ready to accept')) break
  await rm(join(dir, 'shop.json'))
  await open(t, { root, dir })
  t.deepEqual(await ended, [0, null])
})

test.serial('when the launcher is killed all its parts end by themselves, also the frozen ones', async (t) => {
  const launcher = `
    import { startShop } from ${JSON.stringify(join(import.meta.dirname, '../../../env/local/shop.ts'))}
    const shop = await startShop(JSON.parse(process.env.OPTIONS))
    process.send(shop.parts.map(({ port, pid }) => ({ port, pid })))
  `
  const options: ShopOptions = { root: await standIns(t), dir: await makeFolder(t) }
  const child = spawn(process.execPath, ['--input-type=module', '--eval', launcher], {
    env: { ...process.env, OPTIONS: JSON.stringify(options) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const [parts] = (await once(child, 'message')) as [{ port: number; pid: number }[]]
  const held = await Promise.all(parts.map(({ port }) => hold(port)))
  for (const { pid } of parts.filter((_, index) => index % 2 === 0)) process.kill(pid, 'SIGSTOP')
  child.kill('SIGKILL')
  const next = open(t, options)
  await t.notThrowsAsync(Promise.all(held.map(({ closed }) => closed)))
  // The system may close a process's connections a moment before the socket that it listened on: then ask again.
  for (const { port } of parts) while (await isTaken(port)) await after(POLL_MS)
  await t.notThrowsAsync(next, 'another launcher may come at that moment')
})

test.serial('two shops never get the same ports, and a block is free again when its shop has ended', async (t) => {
  const blocks = await Promise.all(Array.from({ length: 10 }, () => takePorts(20)))
  t.is(new Set(blocks.flatMap(({ ports }) => ports)).size, 200)
  const guards = blocks.map(({ ports: [first = 0] }) => first - 1)
  for (const guard of guards) t.true(await isTaken(guard))
  await Promise.all(blocks.map(({ release }) => release()))
  for (const guard of guards) t.false(await isTaken(guard))
  await t.throwsAsync(takePorts(64), { message: /may have 63 processes/ })
})

test.serial('a shop whose port was taken between its choice and its use starts on other ports', async (t) => {
  const root = await standIns(t, {
    stock: `
      if (process.env.PORT === process.env.TAKEN) {
        process.stderr.write('stock cannot start: port 1 is in use by another program')
        process.exit(1)
      }
      ${STAND_IN}`,
  })
  const env: Record<string, string> = {}
  const taken: string[] = []
  const shop = await open(t, {
    root,
    env: { 'stock-1': env },
    route: ({ from, to, url }) => {
      if (from === 'order-1' && to === 'stock-1') taken.push(new URL(url).port)
      env.TAKEN = taken[0] ?? ''
      return url
    },
  })
  t.is(taken.length, 2)
  t.not(shop.services.stock[0]?.port, Number(taken[0]))
})
