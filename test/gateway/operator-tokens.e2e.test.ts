/** An operator token that one service was not given is seen, and is not found out by that. */
import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import pino from 'pino'
import { differenceOf, type Marked } from '../../gateway/operator-tokens.ts'
import { tokenMark } from '../../shared/http/operators.ts'
import type { HttpServer } from '../../shared/http/server.ts'
import { eventually } from '../support/eventually.ts'
import { openShop } from '../support/shop/gateway.ts'
import { openServiceServer } from '../support/shop/service-server.ts'

const SEEN_MS = 5_000
const SERVICES = ['order', 'payment', 'stock', 'ids'] as const

const marked = (marks: Readonly<Record<string, string>>): Marked[] =>
  Object.entries(marks).map(([name, mark]) => ({ service: name.replace(/-\d$/, ''), mark }))

for (const [marks, words] of [
  [{}, undefined],
  [{ order: 'a' }, undefined],
  [{ order: '-', payment: '-', stock: '-', ids: '-' }, undefined],
  [{ order: 'a', payment: 'a', stock: 'a', ids: 'a' }, undefined],
  [
    { order: 'a', payment: 'a', stock: 'a', ids: '-' },
    'open without one: ids; one is wanted by: order, payment, stock',
  ],
  [
    { order: '-', payment: '-', stock: '-', ids: 'a' },
    'open without one: order, payment, stock; one is wanted by: ids',
  ],
  [{ order: 'b', payment: 'a', stock: 'a', ids: 'a' }, 'one is wanted by: ids, payment, stock; another one by: order'],
  [
    { order: 'a', payment: 'b', stock: '-' },
    'open without one: stock; one is wanted by: order; another one by: payment',
  ],
  [{ 'order-1': 'a', 'order-2': 'b' }, 'one is wanted by: order; another one by: order'],
] as const)
  test(`of ${JSON.stringify(marks)} is said: ${words}`, (t) => {
    t.is(differenceOf(marked(marks)), words)
  })

test('a mark tells one token from another, and nothing of either', (t) => {
  t.is(tokenMark(''), '-')
  t.is(tokenMark('sesame'), tokenMark('sesame'))
  t.not(tokenMark('sesame'), tokenMark('Sesame'))
  t.regex(tokenMark('sesame'), /^[\da-f]{4}$/)
})

const openService = (token: string, port = 0): Promise<HttpServer> =>
  openServiceServer({
    port,
    routes: [],
    operatorToken: token,
  })

type Check = { readonly name: string; readonly grade: string; readonly wrong: string | null }

const openAll = async (t: ExecutionContext, tokens: readonly string[]) => {
  const logged: { level: number; msg: string; services?: string }[] = []
  const servers = await Promise.all(tokens.map((token) => openService(token)))
  t.teardown(() => Promise.all(servers.map((server) => server.close())))
  const origins = Object.fromEntries(SERVICES.map((name, at) => [name, [`http://127.0.0.1:${servers[at]?.port}`]]))
  const { ask } = await openShop(t, {
    origins,
    log: pino({ level: 'info' }, { write: (line) => logged.push(JSON.parse(line)) }),
  })
  const told = () => logged.filter(({ msg }) => msg.startsWith('OPERATOR_TOKEN'))
  const checks = async (): Promise<readonly Check[]> => JSON.parse((await ask('GET', '/ready?verbose')).text).checks
  const ready = () =>
    eventually(async () => assert.equal((await ask('GET', '/ready')).status, 200, 'not ready yet'), SEEN_MS)
  await ready()
  return { servers, told, checks, ask, ready }
}

const OPEN_IDS = 'open without one: ids; one is wanted by: order, payment, stock'

test('a service without the token is named in the log and in the list of checks, until it has it', async (t) => {
  const { servers, told, checks, ask } = await openAll(t, ['sesame', 'sesame', 'sesame', ''])
  t.is((await ask('GET', '/ready')).status, 200, 'it serves nevertheless')
  t.deepEqual(
    (await checks()).map(({ name, grade, wrong }) => [name, grade, wrong]),
    [...SERVICES.map((name) => [name, 'blocks', null]), ['operator-token', 'warns', OPEN_IDS]],
  )
  t.like(told().at(-1), { level: 50, services: OPEN_IDS })

  const [, , , ids] = servers
  await ids?.close()
  servers[3] = await openService('sesame', ids?.port)
  await eventually(async () => {
    assert.equal((await checks()).at(-1)?.wrong, null)
    assert.equal((await ask('GET', '/ready')).status, 200)
  }, SEEN_MS)
  t.is(told().at(-1)?.level, 30)
  t.false(JSON.stringify(told()).includes('sesame'))
  // Each change once, however often they are asked: the service that comes up last may be the one that differs.
  t.deepEqual(new Set(told().map((line) => line.services)).size, told().length)
})

test('services that want the same token are not spoken of', async (t) => {
  const { told, checks } = await openAll(t, ['sesame', 'sesame', 'sesame', 'sesame'])
  t.is((await checks()).at(-1)?.wrong, null)
  t.deepEqual(told(), [])
})

test('a list of checks says which service has no ready replica', async (t) => {
  const { servers, ask } = await openAll(t, ['', '', '', ''])
  await servers[1]?.close()
  await eventually(async () => {
    const reply = await ask('GET', '/ready?verbose')
    const { checks, services } = JSON.parse(reply.text) as { checks: readonly Check[]; services: readonly string[] }
    assert.equal(reply.status, 503)
    assert.deepEqual(services, ['payment'])
    assert.deepEqual(
      checks.filter(({ wrong }) => wrong !== null).map(({ name }) => name),
      ['payment'],
    )
  }, SEEN_MS)
  t.pass()
})
