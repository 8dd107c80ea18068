/** Every row of every service, asked of the service itself: what it reads, what it refuses and what it answers is what the row says. */
import test, { type ExecutionContext } from 'ava'
import * as v from 'valibot'
import { keyReused } from '../../shared/http/problems.ts'
import { problemsOf } from '../../shared/http/route.ts'
import * as ofOperators from '../../shared/operator/api.ts'
import { type NamedRow, ROWS, targetOf } from '../support/rows.ts'
import { openClient, problemOf, type Reply } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const TOKEN = 'a-token-of-the-operator'
const operator = { Authorization: `Bearer ${TOKEN}` }
const opened = shareShop(test, { env: { all: { OPERATOR_TOKEN: TOKEN } } })

/** Too long for any field, and of no form. */
const MALFORMED = '!'.repeat(300)
/** Things are made anew up to the second, which is asked for then; and what else a field may be. */
const VALUES: Readonly<Record<string, string>> = {
  n: '3',
  n_items: '3',
  n_users: '3',
  starting_money: '1000',
  by: 'refund',
}
const QUERIES: Readonly<Record<string, string>> = { at: '1', ids: '1', log_ids: '1' }

type Ask = { readonly method?: string; readonly query?: Readonly<Record<string, string>> } & {
  readonly values?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const asking = (row: NamedRow, { method = row.method, query, values, headers = operator, body }: Ask = {}) => {
  const fields = Object.keys(row.query ?? {}).flatMap((name) => (QUERIES[name] ? [[name, QUERIES[name]]] : []))
  const asked = new URLSearchParams({ ...Object.fromEntries(fields), ...query })
  const target = `${targetOf(row, { ...VALUES, ...values })}${asked.size === 0 ? '' : `?${asked}`}`
  const client = openClient(opened().shop.part(`${row.service}-1`).url)
  return client.request(method, target, headers, body).finally(client.close)
}

/** An answer that the row lists: of its form, or of one of its kinds of problems. */
const assertListed = (t: ExecutionContext, row: NamedRow, reply: Reply): void => {
  const where = `${row.method} ${row.path}: ${reply.status} ${reply.text}`
  if (reply.status !== 200) {
    const { type, title, status } = problemOf(reply)
    const kinds = problemsOf(row).map((kind) => ({ type: kind.type, title: kind.title, status: kind.status }))
    t.true(
      kinds.some((kind) => kind.type === type && kind.title === title && kind.status === status),
      where,
    )
  } else if ('json' in row.answers[200]) t.deepEqual(v.parse(row.answers[200].json, reply.json), reply.json, where)
  else t.is(reply.headers['content-type'], 'text/plain; charset=utf-8', where)
}

const assertKind = (t: ExecutionContext, reply: Reply, name: string, where: string): void => {
  t.is(reply.status === 200 ? reply.text : problemOf(reply).type, `urn:shop:problem:${name}`, where)
}

const assertMalformed = (t: ExecutionContext, reply: Reply, field: string, where: string): void => {
  assertKind(t, reply, 'malformed', where)
  t.is(problemOf(reply).field, field, where)
}

test('each row stands for one route, and its parameters are those of its path', (t) => {
  const routes = ROWS.map(({ method, path }) => `${method} ${path}`)
  t.is(new Set(routes).size, routes.length)
  const every = Object.values(ofOperators).flatMap((rowsUnder) => Object.values(rowsUnder('')))
  t.deepEqual(
    every.filter(({ path }) => !ROWS.some((row) => row.path.endsWith(path))),
    [],
  )
  for (const { path, params = {}, shownAt = '' } of ROWS) {
    const named = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    t.deepEqual(named(path).sort(), Object.keys(params).sort(), path)
    t.true(
      named(shownAt).every((name) => name !== undefined && name in params),
      path,
    )
    if (shownAt !== '')
      t.true(
        ROWS.some((row) => row.method === 'GET' && row.path === shownAt),
        path,
      )
  }
})

test.serial('takes its own method only, and no body', async (t) => {
  for (const row of ROWS) {
    const other = await asking(row, { method: 'PUT' })
    t.is(other.status, 405, row.path)
    t.true(String(other.headers.allow).split(', ').includes(row.method), row.path)
    if (row.method === 'POST') assertMalformed(t, await asking(row, { body: '{"a":1}' }), 'body', row.path)
  }
})

test.serial('refuses what its fields do not take, naming the field', async (t) => {
  for (const row of ROWS) {
    for (const name of Object.keys(row.params ?? {}))
      assertMalformed(t, await asking(row, { values: { [name]: MALFORMED } }), name, row.path)
    for (const name of Object.keys(row.query ?? {}))
      assertMalformed(t, await asking(row, { query: { [name]: MALFORMED } }), name, row.path)
    const keyed = { ...operator, 'Idempotency-Key': 'two words' }
    assertMalformed(t, await asking(row, { headers: keyed }), 'Idempotency-Key', row.path)
  }
})

test.serial('serves operators only where it says so', async (t) => {
  for (const row of ROWS) {
    const isRefused = async (headers: Readonly<Record<string, string>>, status: number): Promise<boolean> =>
      (await asking(row, { method: row.method, headers, values: { n: MALFORMED, user: MALFORMED } })).status === status
    t.is(await isRefused({}, 401), row.operator === true, row.path)
    t.is(await isRefused({ Authorization: 'Bearer other' }, 403), row.operator === true, row.path)
  }
})

test.serial('answers what it lists, of what there is and of what there is not', async (t) => {
  const made = ROWS.filter(({ path }) => path.includes('/batch_init/'))
  const others = ROWS.filter((row) => !made.includes(row))
  for (const row of [...made, ...others]) assertListed(t, row, await asking(row))
  for (const row of others) {
    const unknown = Object.fromEntries(['user', 'item', 'order', 'log_id', 'replica'].map((name) => [name, 'nobody']))
    assertListed(t, row, await asking(row, { values: unknown }))
  }
})

test.serial('refuses a key that was used for another request, where it says so', async (t) => {
  for (const service of ['ids', 'order', 'payment', 'stock'] as const) {
    const headers = { ...operator, 'Idempotency-Key': `a-key-of-${service}` }
    const [first, ...others] = ROWS.filter((row) => row.service === service && row.problems.includes(keyReused))
    if (first === undefined) return t.fail(`${service} keeps no keys`)
    t.is((await asking(first, { headers })).status, 200, first.path)
    for (const row of others) assertKind(t, await asking(row, { headers }), 'idempotency-key-reused', row.path)
  }
})
