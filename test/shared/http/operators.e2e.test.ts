/** Strangers at an operator's route leave a line, but not one each. */
import assert from 'node:assert/strict'
import test from 'ava'
import pino from 'pino'
import { request } from 'undici'
import type { Route } from '../../../shared/http/route.ts'
import { eventually } from '../../support/eventually.ts'
import { openServiceServer } from '../../support/shop/service-server.ts'

const TOLD_MS = 5_000
const STRANGERS = 20
const route = (method: 'GET' | 'POST'): Route => ({
  method,
  path: '/log',
  scope: 'operator',
  handler: async () => ({ text: 'done' }),
})

test('strangers are told once a second with their number; who looks and is let in leaves no line', async (t) => {
  const logged: Record<string, unknown>[] = []
  const server = await openServiceServer({
    routes: [route('GET'), route('POST')],
    operatorToken: 'sesame',
    log: pino({ level: 'info' }, { write: (line) => logged.push(JSON.parse(line)) }),
  })
  t.teardown(server.close)
  const ask = async (method: 'GET' | 'POST', headers: Record<string, string>): Promise<number> => {
    const reply = await request(`http://127.0.0.1:${server.port}/log`, { method, headers })
    await reply.body.dump()
    return reply.statusCode
  }
  t.is(await ask('GET', { authorization: 'Bearer sesame' }), 200)
  t.deepEqual(logged, [])
  for (let at = 0; at < STRANGERS; at += 1)
    t.is(await ask('GET', at % 2 === 0 ? {} : { authorization: 'Bearer guess' }), at % 2 === 0 ? 401 : 403)
  await eventually(async () => {
    const times = logged.map((line) => Number(line.times))
    assert.equal(
      times.reduce((sum, one) => sum + one, 0),
      STRANGERS,
    )
  }, TOLD_MS)
  t.true(logged.length <= 3, `${logged.length} lines`)
  t.like(logged[0], { level: 40, status: 401, times: 1, method: 'GET', path: '/log', from: '127.0.0.1' })
  t.false(JSON.stringify(logged).includes('guess'))

  logged.length = 0
  t.is(await ask('POST', { authorization: 'Bearer sesame', 'x-request-id': 'mine' }), 200)
  t.like(logged[0], { level: 30, requestId: 'mine', method: 'POST', path: '/log', status: 200 })
})

test('what is done under a name is told with it; what a customer does for itself, and who only looks, is not', async (t) => {
  const logged: Record<string, unknown>[] = []
  const server = await openServiceServer({
    routes: (['GET', 'POST'] as const).map((method) => ({ ...route(method), scope: 'customer' })),
    auth: 'jwt',
    gatewaySecret: 'sesame',
    log: pino({ level: 'info' }, { write: (line) => logged.push(JSON.parse(line)) }),
  })
  t.teardown(server.close)
  const ask = async (method: 'GET' | 'POST', caller: string): Promise<void> => {
    const headers = { 'shop-gateway': 'sesame', 'shop-caller': caller }
    const reply = await request(`http://127.0.0.1:${server.port}/log`, { method, headers })
    await reply.body.dump()
    t.is(reply.statusCode, 200)
  }
  for (const method of ['GET', 'POST'] as const)
    for (const caller of ['customer anna', 'merchant a%20b', 'operator root']) await ask(method, caller)
  t.deepEqual(
    logged.map(({ method, doneBy }) => [method, doneBy]),
    [
      ['POST', 'merchant:a%20b'],
      ['POST', 'operator:root'],
    ],
  )
})
