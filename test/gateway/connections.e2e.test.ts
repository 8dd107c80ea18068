/** How the gateway keeps the connections of its clients: one request at a time, refused for good, and so many. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import pino from 'pino'
import { away } from '../support/eventually.ts'
import { flood, openReplicas, openShop, openSocket, readAll, sendBytes } from '../support/shop/gateway.ts'
import { answer, type Behaviour } from '../support/shop/upstream.ts'

const find = (order: number | string): string => `GET /orders/find/${order} HTTP/1.1\r\nHost: x\r\n\r\n`
const last = (order: number | string): string =>
  `GET /orders/find/${order} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`

/** Answers with what was asked for. */
const echo: Behaviour = (response, received) => answer(`<${received.url}>`)(response, received)

test('requests that a client pipelines are served one after the other, in their order', async (t) => {
  const { gateway, upstream } = await openReplicas(t, 1)
  let inside = 0
  let insideMost = 0
  upstream.behave = (response, received) => {
    inside += 1
    insideMost = Math.max(insideMost, inside)
    setImmediate(() => {
      inside -= 1
      echo(response, received)
    })
  }
  const socket = await openSocket(t, gateway.port)
  const orders = Array.from({ length: 300 }, (_, order) => order)
  const reply = readAll(socket)
  socket.write(orders.map(find).join(''))
  socket.write(
    `POST /orders/create/7 HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n${'x'.repeat(60_000)}${last('end')}`,
  )
  const found = [...(await reply).matchAll(/<\/orders\/(.*?)>/g)].map(([, path]) => path)
  t.deepEqual(found, [...orders.map((order) => `find/${order}`), 'create/7', 'find/end'])
  t.is(insideMost, 1)
  t.is(upstream.received[300]?.body.length, 60_000)
})

test('a pipelined request whose body comes after the answers before it is served', async (t) => {
  const { gateway, upstream } = await openReplicas(t, 1)
  upstream.behave = echo
  const socket = await openSocket(t, gateway.port)
  const reply = readAll(socket)
  const first = once(socket, 'data')
  socket.write(`${find(1)}POST /orders/create/7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{`)
  await first
  socket.write('}')
  t.regex(await reply, /<\/orders\/find\/1>[\s\S]*<\/orders\/create\/7>/)
})

test('after a request that wants the connection closed no other is begun', async (t) => {
  const { gateway, upstream } = await openReplicas(t, 1)
  const replies = await sendBytes(t, gateway.port, `${find(1)}${last(2)}${find(3)}`)
  t.regex(replies, /^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 200 /)
  t.deepEqual(
    upstream.received.map(({ url }) => url),
    ['/orders/find/1', '/orders/find/2'],
  )
})

/** Of 1,600 that he asks for. */
const SERVED_BEFORE_MAX = 400

test('who does not read his answers is not served any more, and keeps nobody waiting', async (t) => {
  const { gateway, ask, upstream } = await openReplicas(t, 1)
  const floods = (): number => upstream.received.filter(({ url }) => url.endsWith('flood')).length
  upstream.behave = (response, received) =>
    answer(received.url.endsWith('flood') ? 'x'.repeat(30_000) : 'quick')(response, received)
  await upstream.settled()
  const socket = await openSocket(t, gateway.port)
  socket.pause()
  flood(socket, find('flood').repeat(1_000))
  /** How many of his were served while another waited: so it does not matter how busy this machine is. */
  const servedBefore: number[] = []
  // Until the buffers of both systems are full of answers.
  for (let served = -1; served !== floods(); ) {
    served = floods()
    for (let polls = 0; polls < 3; polls++) {
      const before = floods()
      t.is((await ask('GET', '/orders/find/7')).text, 'quick')
      servedBefore.push(floods() - before)
      await upstream.polled()
    }
  }
  t.true(floods() > 0 && floods() < 1_500, `${floods()} were served`)
  const mostBefore = Math.max(...servedBefore)
  t.log(`${floods()} were served, others waited for ${mostBefore} of them at most`)
  t.true(mostBefore < SERVED_BEFORE_MAX, `another waited for ${mostBefore} of ${floods()} answers`)

  // Read at last, all of it is served.
  const before = floods()
  socket.resume()
  while (floods() < before + 1_600) await upstream.arrival()
  t.is((await ask('GET', '/orders/find/7')).text, 'quick')
})

test('where too many pipelined requests wait, the connection ends on which most of them do, and others are served', async (t) => {
  const { gateway, upstream } = await openReplicas(t, 1, { pipelinedMost: 100 })
  const asked = Promise.withResolvers<void>()
  upstream.behave = (response, received) => void asked.promise.then(() => echo(response, received))
  const heavy = await openSocket(t, gateway.port)
  const lost = readAll(heavy)
  const arrived = upstream.arrival()
  heavy.write(find('heavy').repeat(101))
  await arrived
  const light = await openSocket(t, gateway.port)
  const reply = readAll(light)
  light.write(`${find(1)}${find(2)}${last(3)}`)
  t.is(await Promise.race([lost.then(() => 'heavy'), reply.then(() => 'light')]), 'heavy')
  t.is(await lost, '')
  asked.resolve()
  t.is((await reply).match(/<\/orders\/find\/\d>/g)?.length, 3)
  t.is(upstream.received.filter(({ url }) => url.endsWith('heavy')).length, 1)
})

test('who has sent his last and ends his side gets his answers', async (t) => {
  const { gateway, upstream } = await openReplicas(t, 1)
  const asked = Promise.withResolvers<void>()
  upstream.behave = (response, received) => {
    void asked.promise.then(() => echo(response, received))
  }
  await upstream.settled()
  for (const bytes of [find(1), `${find(1)}${find(2)}`]) {
    const socket = await openSocket(t, gateway.port, true)
    socket.end(bytes)
    const reply = readAll(socket)
    await upstream.settled()
    asked.resolve()
    const text = await reply
    t.is(text.match(/HTTP\/1\.1 200 /g)?.length, bytes === find(1) ? 1 : 2)
    t.notRegex(text, / 102 /)
  }
})

test('who ends his side while he waits for a replica gets his answer, and is looked after meanwhile', async (t) => {
  const { gateway, upstream } = await openReplicas(t, 1, { condition: 'not ready' })
  await upstream.settled()
  const socket = await openSocket(t, gateway.port, true)
  const old = await openSocket(t, gateway.port, true)
  const replies = [readAll(socket), readAll(old)]
  socket.end(find(7))
  old.end('GET /orders/find/8 HTTP/1.0\r\n\r\n')
  await upstream.settled()
  upstream.condition = 'ready'
  const [reply, reply10] = (await Promise.all(replies)) as [string, string]
  t.regex(reply, /^(HTTP\/1\.1 102 Processing\r\n\r\n){2}HTTP\/1\.1 200 /)
  t.regex(reply10, /^HTTP\/1\.1 200 /)
})

test('a connection that was refused is closed, though the client never closes it', async (t) => {
  const { gateway } = await openShop(t, {})
  for (const bytes of [
    'what?\r\n\r\n',
    'POST /orders/create/7 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n',
  ]) {
    const socket = await openSocket(t, gateway.port, true)
    socket.on('error', () => undefined)
    socket.write(bytes)
    socket.resume()
    await once(socket, 'end')
    // It still sends, until it is told by a reset that nobody is there.
    const closed = Promise.withResolvers<void>()
    socket.on('close', closed.resolve)
    const sending = setInterval(() => socket.write('x'), 50)
    await closed.promise
    clearInterval(sending)
    t.pass()
  }
})

test('who sends a body that is too large reads the refusal, though he sends all of it first', async (t) => {
  const { ask } = await openShop(t, {})
  const reply = await ask('POST', '/orders/create/7', { body: 'x'.repeat(3_000_000) })
  t.is(reply.status, 413)
})

/** Closes a connection, and is served on another one. */
const makeRoom = async (t: ExecutionContext, socket: Socket, port: number): Promise<void> => {
  const closed = once(socket, 'close')
  socket.end()
  socket.resume()
  await closed
  let reply = ''
  while (!reply.includes(' 200 ')) {
    reply = await sendBytes(t, port, 'GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  }
  t.regex(reply, /live$/)
}

test('one address may have so many connections; one more is told so, and there is room again when one is closed', async (t) => {
  const logged: string[] = []
  const log = pino({ level: 'warn' }, { write: (line) => logged.push(line) })
  const { gateway } = await openShop(t, { connectionsPerAddress: 2, log })
  const [first] = [await openSocket(t, gateway.port), await openSocket(t, gateway.port)]
  const refused = await openSocket(t, gateway.port)
  t.regex(
    await readAll(refused),
    /^HTTP\/1\.1 503 [\s\S]*Retry-After: 1[\s\S]*too-many-connections[\s\S]*nothing was done/,
  )
  t.is(logged.length, 1)
  t.like(JSON.parse(logged[0] ?? ''), { most: 2, address: '127.0.0.1' })

  await makeRoom(t, first, gateway.port)
})

test('there may be so many connections in all', async (t) => {
  const { gateway } = await openShop(t, { connectionsMax: 1 })
  const first = await openSocket(t, gateway.port)
  t.is(await readAll(await openSocket(t, gateway.port)), '')
  await makeRoom(t, first, gateway.port)
})

test('a pipeline whose next request was cut by the reading is not late', async (t) => {
  const { gateway, upstream } = await openReplicas(t, 1, { headersTimeoutMs: 200, requestTimeoutMs: 200 })
  const answered = Promise.withResolvers<void>()
  upstream.behave = (response, received) => void answered.promise.then(() => echo(response, received))
  const socket = await openSocket(t, gateway.port)
  const reply = readAll(socket)
  const arrived = upstream.arrival()
  socket.write(`${find(1)}${find(2)}GET /orders/find/3 HTTP/1.1\r\nHo`)
  await arrived
  // Connections are looked at once a second.
  await away(2_500)
  answered.resolve()
  socket.write(`st: x\r\nConnection: close\r\n\r\n`)
  t.is((await reply).match(/HTTP\/1\.1 200 /g)?.length, 3)
})
