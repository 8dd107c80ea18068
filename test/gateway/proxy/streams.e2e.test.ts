/** Answers that do not end by themselves, through the gateway: they come as they are sent, and end when either side wants it. */
import { once } from 'node:events'
import { type ClientRequest, get, request as httpRequest, type IncomingMessage } from 'node:http'
import { setTimeout as after } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { openReplicas } from '../../support/shop/gateway.ts'
import { answer, type Behaviour } from '../../support/shop/upstream.ts'

const PATH = '/orders/7/events'
const SOON_MS = 3_000

type Client = {
  readonly request: ClientRequest
  readonly response: IncomingMessage
  readonly next: () => Promise<string>
}

const listen = async (t: ExecutionContext, origin: string): Promise<Client> => {
  const request = get(`${origin}${PATH}`)
  request.on('error', () => undefined)
  t.teardown(() => request.destroy())
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.setEncoding('utf8')
  return { request, response, next: async () => (await once(response, 'data'))[0] as string }
}

/** Sends an event when it is asked to, and tells when its client has gone. */
const sender = () => {
  const { promise: gone, resolve } = Promise.withResolvers<void>()
  let send: (text: string) => void = () => undefined
  const behave: Behaviour = (response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('retry: 1\n\n')
    send = (text) => response.write(text)
    response.once('close', resolve)
  }
  return { behave, gone, send: (text: string) => send(text) }
}

const within = async (promise: Promise<unknown>): Promise<boolean> => {
  const timeout = new AbortController()
  const late = after(SOON_MS, 'late', { signal: timeout.signal }).catch(() => 'late')
  const first = await Promise.race([promise, late])
  timeout.abort()
  return first !== 'late'
}

test('events come as they are sent', async (t) => {
  const { upstream, origin, settled } = await openReplicas(t, 1)
  await settled()
  const { behave, send } = sender()
  upstream.behave = behave
  const { response, next } = await listen(t, origin)
  t.is(response.headers['content-type'], 'text/event-stream')
  t.is(await next(), 'retry: 1\n\n')
  send('id: 1-0\n\n')
  t.is(await next(), 'id: 1-0\n\n')
})

test('a client that leaves is told to the service at once, and the replica is none the worse', async (t) => {
  const { upstream, origin, settled, ask } = await openReplicas(t, 1)
  await settled()
  const { behave, gone } = sender()
  upstream.behave = behave
  const { request, next } = await listen(t, origin)
  await next()
  request.destroy()
  t.true(await within(gone))
  upstream.behave = answer('well')
  t.is((await ask('GET', '/orders/find/7')).text, 'well')
})

const WAITS_20_S = JSON.stringify({ wait_ms: 20_000 })
for (const [method, path, body] of [
  ['PUT', '/locks/7/leases/l1', WAITS_20_S],
  ['POST', '/locks/7/leases', WAITS_20_S],
  ['GET', '/elections/7/candidates/c1?wait_ms=20000', undefined],
] as const)
  test(`a client that leaves while it waits for a lock is told to the service: ${method}`, async (t) => {
    const { upstream, origin, settled, ask } = await openReplicas(t, 1, { service: 'ids' })
    await settled()
    const gone = Promise.withResolvers<void>()
    upstream.behave = (response) => void response.once('close', gone.resolve)
    const waiting = httpRequest(`${origin}${path}`, { method, agent: false })
    waiting.on('error', () => undefined)
    waiting.end(body)
    await upstream.arrival()
    const leftAt = performance.now()
    waiting.destroy()
    t.true(await within(gone.promise))
    // Until then it may be given what it waited for.
    t.true(performance.now() - leftAt < 800)
    upstream.behave = answer('well')
    t.is((await ask('GET', '/ids/create')).text, 'well')
  })

test('streams end whole, and at once, when the gateway stops', async (t) => {
  const { upstream, origin, settled, gateway } = await openReplicas(t, 1)
  await settled()
  const { behave, gone } = sender()
  upstream.behave = behave
  const { response, next } = await listen(t, origin)
  await next()
  const ended = once(response, 'end')
  const closed = gateway.close()
  t.true(await within(ended))
  t.true(await within(gone))
  t.true(await within(closed), 'nothing holds up the end')
})

test('many streams leave room for all others', async (t) => {
  const { upstream, origin, settled, ask } = await openReplicas(t, 1, { waitMs: 50, longMax: 64 })
  await settled()
  upstream.behave = sender().behave
  const streams = await Promise.all(Array.from({ length: 64 }, () => listen(t, origin)))
  t.is(streams.length, 64)
  upstream.behave = answer('room')
  t.is((await ask('GET', '/orders/find/7')).text, 'room')
  t.is((await ask('GET', PATH)).status, 503, 'but for one more of them')
})
