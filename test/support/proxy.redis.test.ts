/** The proxy itself, between a client and a real Redis, and between a client and a service over HTTP. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as dial } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { Redis } from 'ioredis'
import { connect, disconnect, whenReady } from '../../shared/redis/connection.ts'
import { away, eventually } from './eventually.ts'
import { type Fabric, type Link, openFabric } from './proxy.ts'
import { type RedisServer, startRedis } from './redis-server.ts'
import { answer, openUpstream } from './upstream.ts'

const PASSWORD = 'open-sesame'

let server: RedisServer
test.before(async () => {
  server = await startRedis({ args: ['--requirepass', PASSWORD, '--appendonly', 'no'] })
})
test.after.always(() => server.stop())

type Route = {
  readonly fabric: Fabric
  readonly link: Link
  /** Through the link; fails fast and sends nothing twice. */
  readonly far: Redis
  /** Past the link. */
  readonly near: Redis
  readonly key: string
}

const open = async (t: ExecutionContext): Promise<Route> => {
  const fabric = openFabric()
  const direct = `redis://:${PASSWORD}@127.0.0.1:${server.port}`
  const far = connect(await fabric.route({ from: 'a', to: 'b', url: direct }), 'command')
  const near = connect(direct, 'command')
  t.teardown(async () => {
    disconnect(far)
    disconnect(near)
    await fabric.close()
  })
  await Promise.all([whenReady(far), whenReady(near)])
  return { fabric, link: fabric.link('a', 'b'), far, near, key: t.title }
}

const timed = async (work: Promise<unknown>): Promise<number> => {
  const startedAt = performance.now()
  await work
  return performance.now() - startedAt
}

test('a link passes everything on, however large, until it is told otherwise', async (t) => {
  const { far, key } = await open(t)
  const large = 'x'.repeat(4_000_000)
  t.is(await far.set(key, large), 'OK')
  t.true((await far.get(key)) === large)
})

test('a delay holds up each way, also on the connection that there is', async (t) => {
  const { link, far } = await open(t)
  link.suffer({ does: 'delay', ms: 250 })
  const ms = await timed(far.ping())
  t.true(ms >= 498, `${ms} ms`)
  link.heal()
  t.true((await timed(far.ping())) < 490)
})

test('a trickle passes on a little at a time', async (t) => {
  const { link, far, key } = await open(t)
  await far.set(key, 'x'.repeat(1_000))
  link.suffer({ does: 'trickle', bytes: 100, everyMs: 20 })
  const ms = await timed(far.get(key))
  t.true(ms >= 180, `${ms} ms`)
})

test('a black hole towards the server keeps commands back, and lets them arrive late', async (t) => {
  const { link, far, near, key } = await open(t)
  link.suffer({ does: 'black-hole', towards: 'server' })
  await t.throwsAsync(far.incr(key), { message: /timed out/ })
  t.is(await near.get(key), null)
  link.heal()
  await eventually(async () => assert.equal(await near.get(key), '1'), 2_000)
})

test('a black hole towards the client keeps replies back: the command has been obeyed', async (t) => {
  const { link, far, near, key } = await open(t)
  link.suffer({ does: 'black-hole', towards: 'client' })
  await t.throwsAsync(far.incr(key), { message: /timed out/ })
  t.is(await near.get(key), '1')
})

test('a connection that is made into a black hole hangs', async (t) => {
  const { fabric, link } = await open(t)
  link.suffer({ does: 'black-hole', towards: 'both' })
  const url = await fabric.route({ from: 'a', to: 'b', url: `redis://:${PASSWORD}@127.0.0.1:${server.port}` })
  const late = connect(url, 'command')
  t.teardown(() => disconnect(late))
  const ready = whenReady(late)
  t.is(await Promise.race([ready.then(() => 'ready'), away(300).then(() => 'nothing')]), 'nothing')
  link.heal()
  await t.notThrowsAsync(ready)
})

test('what is cut before the command never arrives, and the next time it does', async (t) => {
  const { link, far, near, key } = await open(t)
  link.suffer({ does: 'cut-before', command: /incr/ })
  await t.throwsAsync(far.incr(key))
  t.is(link.struck(), 1)
  await whenReady(far)
  t.is(await near.get(key), null)
  t.is(await far.incr(key), 1)
})

test('what is cut before the reply has been obeyed, and nobody is told', async (t) => {
  const { link, far, near, key } = await open(t)
  link.suffer({ does: 'lose-reply', command: /incr/, times: 2 })
  for (const times of ['1', '2']) {
    await t.throwsAsync(Promise.all([far.ping(), far.incr(key)]))
    t.is(await near.get(key), times)
    await whenReady(far)
  }
  t.is(await far.incr(key), 3)
})

test('a duplicate is obeyed twice and answered once, also on a connection that was let in before', async (t) => {
  const { link, far, near, key } = await open(t)
  link.suffer({ does: 'duplicate' })
  await far.incr(key)
  await far.incr(key)
  await eventually(async () => assert.equal(await near.get(key), '4'), 2_000)
  link.heal()
  await far.incr(key)
  t.is(await near.get(key), '5')
})

test('a link that refuses breaks what there is and what comes', async (t) => {
  const { link, far } = await open(t)
  link.suffer({ does: 'refuse' })
  await t.throwsAsync(far.ping())
  await link.whenStruck(3)
  t.not(far.status, 'ready')
  link.heal()
  await whenReady(far)
  t.is(await far.ping(), 'PONG')
})

test('a fault may be for some connections only, by what they say', async (t) => {
  const { fabric, link, far, key } = await open(t)
  const url = await fabric.route({ from: 'a', to: 'b', url: `redis://:${PASSWORD}@127.0.0.1:${server.port}` })
  const reader = connect(url, 'blocking')
  t.teardown(() => disconnect(reader))
  await whenReady(reader)
  link.suffer({ does: 'cut-before', command: /./, only: /xread/, times: 100 })
  t.is(await far.ping(), 'PONG')
  await t.throwsAsync(reader.xread('BLOCK', 10, 'STREAMS', key, '0-0'))
  t.is(await far.ping(), 'PONG')
})

test('the news that the other end has closed is held up, too', async (t) => {
  const { fabric, link } = await open(t)
  const url = new URL(await fabric.route({ from: 'a', to: 'b', url: `http://127.0.0.1:${server.port}` }))
  const socket = dial(Number(url.port), url.hostname)
  t.teardown(() => socket.destroy())
  let closed = false
  socket.resume().once('close', () => {
    closed = true
  })
  await once(socket, 'connect')
  link.suffer({ does: 'black-hole', towards: 'client' })
  socket.write(`AUTH ${PASSWORD}\r\nQUIT\r\n`)
  await link.whenStruck()
  t.false(closed)
  link.heal()
  await eventually(async () => assert.ok(closed), 2_000)
})

test('a request of HTTP is cut after it was done, and sent twice', async (t) => {
  const upstream = await openUpstream()
  t.teardown(() => upstream.refuse())
  const fabric = openFabric()
  t.teardown(fabric.close)
  const url = await fabric.route({ from: 'gateway', to: 'order-1', url: upstream.origin })
  const link = fabric.link('gateway', 'order-1')
  upstream.behave = answer('done')
  const post = async (): Promise<string> => (await fetch(`${url}/orders/7`, { method: 'POST' })).text()
  t.is(await post(), 'done')
  link.suffer({ does: 'lose-reply', command: /POST \/orders/ })
  await t.throwsAsync(post())
  t.is(upstream.received.length, 2)
  link.suffer({ does: 'duplicate' })
  t.is(await post(), 'done')
  await eventually(async () => assert.equal(upstream.received.length, 4), 2_000)
})

test('a link leads elsewhere when it is routed again', async (t) => {
  const { fabric, far, near, key } = await open(t)
  const other = await startRedis({ args: ['--requirepass', PASSWORD] })
  t.teardown(() => other.stop())
  await fabric.route({ from: 'a', to: 'b', url: `redis://:${PASSWORD}@127.0.0.1:${other.port}` })
  fabric.link('a', 'b').cut()
  await t.throwsAsync(far.ping())
  await whenReady(far)
  await far.set(key, 'elsewhere')
  t.is(await near.get(key), null)
  t.throws(() => fabric.link('a', 'c'), { message: 'nothing connects a to c' })
})
