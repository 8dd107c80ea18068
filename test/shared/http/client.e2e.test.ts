import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import pino from 'pino'
import { payment, stock } from '../../../shared/contract/queries.ts'
import { messageOf, PeerError } from '../../../shared/errors.ts'
import { peer } from '../../../shared/http/client.ts'
import { problem } from '../../../shared/http/problem.ts'
import { noSuchRoute } from '../../../shared/http/problems.ts'
import { leaseFrom } from '../../../shared/log/log-id.ts'
import { openStep } from '../../../shared/process/step.ts'
import { answeringPeer } from '../../support/shop/answering-peer.ts'

const anna = { user_id: 'anna', credit: 7 }

test('a query is asked by its method and path, with its fields; a field without a value is not said', async (t) => {
  const one = await answeringPeer(t, 200, { records: [] })
  const query = { log_ids: 'a,b&c', cursor: undefined }
  t.deepEqual(await one.peer.ask(payment.readRecords, { query }), { json: { records: [] } })
  t.deepEqual(one.asked, ['GET /payment/audit/records?log_ids=a%2Cb%26c'])
})

test('an answer is read by the form that its query gives it; what a newer version adds is not read', async (t) => {
  const one = await answeringPeer(t, 200, { ...anna, nickname: 'ann' })
  t.deepEqual(await one.peer.ask(payment.findUser, { params: { user: 'anna' } }), { json: anna })
  for (const body of [{ user_id: 'anna', credit: '7' }, { user_id: 'anna' }, null, 'anna']) {
    const other = await answeringPeer(t, 200, body)
    await t.throwsAsync(other.peer.ask(payment.findUser, { params: { user: 'anna' } }), { instanceOf: PeerError })
  }
})

test('a refusal is the peer’s problem document; anything else is none of its answers', async (t) => {
  const refusal = problem(404, 'no-such-item', 'Unknown item', 'there is no item "tea"', { item_id: 'tea' })
  const one = await answeringPeer(t, 404, refusal)
  t.deepEqual(await one.peer.ask(stock.findItem, { params: { item: 'tea' } }), { problem: refusal })
  const other = await answeringPeer(t, 404, { message: 'Not found' })
  await t.throwsAsync(other.peer.ask(stock.findItem, { params: { item: 'tea' } }), { instanceOf: PeerError })
})

test('the next replica is asked where one is away or fails', async (t) => {
  const [failing, well] = [await answeringPeer(t, 503, {}), await answeringPeer(t, 200, anna)]
  const both = peer(openStep('test'), 'payment', [failing.origin, well.origin])
  const user = { params: { user: 'anna' } }
  for (let times = 0; times < 2; times += 1) t.deepEqual(await both.ask(payment.findUser, user), { json: anna })
  t.deepEqual([failing.asked.length, well.asked.length], [1, 2])
  const error = await t.throwsAsync(failing.peer.ask(payment.findUser, user), { instanceOf: PeerError })
  t.is(error?.message, 'peer does not answer')
})

test('a replica of an older version, which has no such route, is passed over: it knows nothing of what is asked', async (t) => {
  const older = await answeringPeer(t, 404, noSuchRoute('payment', '/payment/find_user/anna'))
  const newer = await answeringPeer(t, 200, anna)
  const both = peer(openStep('test'), 'payment', [older.origin, newer.origin])
  const user = { params: { user: 'anna' } }
  for (let times = 0; times < 2; times += 1) t.deepEqual(await both.ask(payment.findUser, user), { json: anna })
  t.deepEqual([older.asked.length, newer.asked.length], [1, 2])
  await t.throwsAsync(older.peer.ask(payment.findUser, user), { instanceOf: PeerError })
})

for (const [what, behave] of [
  ['does not answer', () => undefined],
  ['breaks off', (request) => request.socket.destroy()],
] as const satisfies readonly (readonly [string, RequestListener])[])
  test(`what a peer was asked with is in no log, if it ${what}`, async (t) => {
    const server = createServer(behave).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => {
      server.close()
      server.closeAllConnections()
    })
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const [secret, token] = ['what-only-the-gateway-knows', 'the-token-of-operators']
    const asked = { params: { user: 'anna' }, authorization: `Bearer ${token}`, timeoutMs: 50 }
    const error = await t.throwsAsync(peer(openStep('test'), 'payment', [origin], secret).ask(payment.findUser, asked))
    const lines: string[] = []
    const log = pino({}, { write: (line) => lines.push(line) })
    log.warn({ err: error }, 'whole')
    log.warn({ err: error?.cause }, 'why')
    t.is(lines.length, 2)
    t.false(
      lines.some((line) => line.includes(secret) || line.includes(token)),
      lines[1],
    )
  })

test('a replica that is silent again and again costs nobody more time for a second, and the others are asked', async (t) => {
  const server = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const silent = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const asked = { params: { user: 'anna' }, timeoutMs: 50 }
  const alone = peer(openStep('test'), 'payment', [silent])
  const causeOf = async (): Promise<string> => {
    const error = await t.throwsAsync(alone.ask(payment.findUser, asked), { instanceOf: PeerError })
    return messageOf(error?.cause)
  }
  for (let times = 0; times < 5; times += 1) t.notRegex(await causeOf(), /silent/)
  t.is(await causeOf(), 'it was silent again and again, a moment ago')
  const well = await answeringPeer(t, 200, anna)
  const both = peer(openStep('test'), 'payment', [silent, well.origin])
  const patient = { ...asked, timeoutMs: 500 }
  for (let times = 0; times < 11; times += 1) t.deepEqual(await both.ask(payment.findUser, patient), { json: anna })
  t.is(well.asked.length, 11)
})

test('one that is away is asked each time, so that it is found when it is there again', async (t) => {
  const server = createServer((_, response) =>
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(anna)),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const one = peer(openStep('test'), 'payment', [`http://127.0.0.1:${port}`])
  const asked = { params: { user: 'anna' } }
  for (let times = 0; times < 10; times += 1)
    await t.throwsAsync(one.ask(payment.findUser, asked), { instanceOf: PeerError })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  t.deepEqual(await one.ask(payment.findUser, asked), { json: anna })
})

test('a lease is asked for by the name of the replica, and anything but a block is refused', async (t) => {
  const ids = await answeringPeer(t, 200, { block: 7 })
  t.is(await leaseFrom(ids.peer)('order-1'), 7)
  t.deepEqual(ids.asked, ['POST /internal/lease/order-1'])
  for (const [status, body] of [
    [200, { block: '7' }],
    [404, { block: 7 }],
    [404, problem(404, 'no-such-route', 'No such route', 'ids has no such path')],
  ] as const) {
    const other = await answeringPeer(t, status, body)
    await t.throwsAsync(leaseFrom(other.peer)('order-1'), { instanceOf: PeerError })
  }
})
