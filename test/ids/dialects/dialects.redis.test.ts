/** The two older dialects, request by request, against a real lock service. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'ava'
import { nanoid } from 'nanoid'
import { distributedLockRoutes } from '../../../ids/dialects/distributed-lock.ts'
import { eventually } from '../../support/eventually.ts'
import { openLockReplica } from '../../support/lock-replica.ts'
import { elapse, openLocksOver } from '../../support/locks.ts'
import { openClient, problemOf } from '../../support/shop/client.ts'
import { openBench } from '../../support/shop/open-store.ts'
import { openServiceServer } from '../../support/shop/service-server.ts'

const bench = await openBench()
const replica = await openLockReplica(bench)
const client = openClient(replica.url)
test.after.always(async () => {
  client.close()
  await replica.close()
  await bench[Symbol.asyncDispose]()
})

const LATE_MS = 3_000
const JSON_TYPE = { 'Content-Type': 'application/json' }
const post = (path: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
  client.request('POST', path, { ...JSON_TYPE, ...headers }, JSON.stringify(body))

type Given = { readonly lock_id: string; readonly token: number }
const lock = async (resource: string, headers = {}, ttl = 30): Promise<Given> => {
  const reply = await post('/lock', { resource, ttl }, headers)
  assert.equal(reply.status, 200, reply.text)
  return reply.json as Given
}

test.serial('a resource is locked until it is unlocked, and locked is refused', async (t) => {
  const resource = `invoice/${nanoid()} ü`
  const first = await lock(resource)
  t.deepEqual(Object.keys(first).toSorted(), ['lock_id', 'token'])
  const refused = await post('/lock', { resource, ttl: 30 })
  t.is(refused.status, 423)
  t.truthy(refused.headers['retry-after'])
  t.deepEqual((await post('/unlock', { lock_id: first.lock_id })).json, { lock_id: first.lock_id, unlocked: true })
  const next = await lock(resource)
  t.true(next.token > first.token)
  await post('/unlock', { lock_id: first.lock_id })
  t.is((await post('/lock', { resource, ttl: 30 })).status, 423, 'who had it before releases nobody')
})

test.serial('a lock that nobody unlocks ends after its time, and is then no more unlocked', async (t) => {
  const resource = nanoid()
  const { lock_id } = await lock(resource, {}, 1)
  await eventually(async () => assert.equal((await post('/lock', { resource, ttl: 1 })).status, 200), LATE_MS)
  t.like((await post('/unlock', { lock_id })).json, { unlocked: false })
})

test.serial('under a key the same lock is given again', async (t) => {
  const resource = nanoid()
  const key = { 'Idempotency-Key': nanoid() }
  const { lock_id } = await lock(resource, key)
  t.is((await lock(resource, key)).lock_id, lock_id)
  await post('/unlock', { lock_id })
  await bench.redis.del(...(await bench.redis.keys(`lock-lease:*:${resource}`)))
  t.is((await post('/lock', { resource, ttl: 30 }, key)).status, 404, 'it has ended too long ago')
})

test.serial('what is no lock that was given is refused, naming the field', async (t) => {
  for (const lock_id of ['', 'x', 'a.b.c', `${nanoid()}.!`, `${nanoid()}.${Buffer.from('\0').toString('base64url')}`])
    t.like(problemOf(await post('/unlock', { lock_id })), { status: 422, field: 'lock_id' }, lock_id)
  t.like(problemOf(await post('/lock', { resource: '', ttl: 1 })), { status: 422, field: 'resource' })
  t.like(problemOf(await post('/lock', { resource: 'a', ttl: 0 })), { status: 422, field: 'ttl' })
})

type Shown = {
  readonly current_state: string
  readonly read_process_list: readonly { readonly process_id: string; readonly timeout: number }[]
  readonly write_process_list: readonly { readonly process_id: string }[]
}

/** A lock of a tenant, which is made. */
const makeLock = async ({ isExclusive = false, user = nanoid() } = {}) => {
  const path = `/v1/distributed_lock/${nanoid()}`
  const headers = { 'user-id': user }
  const ask = async (method: string, rest = '') => {
    const reply = await client.request(method, `${path}${rest}`, headers)
    return { ...reply, json: reply.json as Shown }
  }
  const made = await ask('POST', `?is_write_exclusive=${isExclusive}`)
  return { path, ask, made }
}

test.serial('a lock is made once, free, for one tenant', async (t) => {
  const { path, ask, made } = await makeLock({ isExclusive: true })
  t.is(made.status, 201)
  t.like(made.json, {
    lock_id: path.split('/').at(-1),
    current_state: 'FREE',
    is_write_exclusive: true,
    read_process_list: [],
    write_process_list: [],
  })
  t.deepEqual(Object.keys(made.json).toSorted(), [
    ...['created_at', 'current_state', 'id', 'is_write_exclusive', 'lock_id', 'read_process_list', 'updated_at'],
    'write_process_list',
  ])
  t.is((await ask('POST')).status, 400)
  t.is((await ask('GET')).status, 200)
  t.is((await client.request('GET', path, { 'user-id': nanoid() })).status, 404)
  t.like(problemOf(await client.request('GET', path, {})), { status: 400, field: 'user-id' })
})

test.serial('no tenant is named as the rooms whose locks are those of elections and of jobs', async (t) => {
  const name = nanoid()
  for (const user of ['elections', 'jobs'])
    for (const [method, rest] of [
      ['POST', ''],
      ['GET', ''],
      ['PUT', '/write-process/1'],
      ['PUT', '/write-process/1/refresh'],
      ['DELETE', '/write-process/1'],
    ] as const) {
      const refused = await client.request(method, `/v1/distributed_lock/${name}${rest}`, { 'user-id': user })
      t.like(problemOf(refused), { status: 400, field: 'user-id' }, `${user} ${method} ${rest}`)
    }
  t.is((await client.request('PUT', `/elections/${name}/candidates/a`, JSON_TYPE, '{}')).status, 201)
  t.is((await makeLock({ user: 'elections-2' })).made.status, 201)
})

test.serial('locks that are made leave room for others', async (t) => {
  const empty = await openBench()
  t.teardown(() => empty[Symbol.asyncDispose]())
  const small = await openLockReplica(empty, { locks_max: 6 })
  t.teardown(small.close)
  const made = await Promise.all(
    Array.from({ length: 6 }, (_, at) =>
      small.ask('POST', `/v1/distributed_lock/d${at}`, undefined, { 'user-id': 'busy' }),
    ),
  )
  t.deepEqual(made.map(({ status }) => status).toSorted(), [201, 201, 201, 429, 429, 429])
  const refused = problemOf(made.find(({ status }) => status === 429) ?? t.fail('none is refused'))
  t.like(refused, { type: 'urn:shop:problem:too-many-locks' })
  t.regex(String(refused.detail), /in use or configured/)
  t.is((await small.ask('PUT', '/locks/new/leases/l1')).status, 201)
})

test.serial('a lock that was not made is none', async (t) => {
  const path = `/v1/distributed_lock/${nanoid()}`
  for (const [method, rest] of [
    ['GET', ''],
    ['PUT', '/read-process/1'],
    ['PUT', '/write-process/1/refresh'],
    ['DELETE', '/read-process/1'],
  ] as const)
    t.is((await client.request(method, `${path}${rest}`, { 'user-id': 'me' })).status, 404, `${method} ${rest}`)
})

test.serial('a client that has gone releases nothing: its process may hold the lock anew', async (t) => {
  const { path, ask } = await makeLock({ user: 'tenant' })
  await ask('PUT', '/write-process/p1')
  bench.server.freeze()
  const socket = connect(Number(new URL(replica.url).port), '127.0.0.1')
  const head = `DELETE ${path}/write-process/p1 HTTP/1.1\r\nHost: 127.0.0.1\r\nuser-id: tenant\r\n\r\n`
  socket.resume().end(head)
  await once(socket, 'close')
  bench.server.thaw()
  for (let times = 1; times <= 3; times += 1) t.like((await ask('GET')).json, { current_state: 'WRITE' })
})

test.serial('a process whose hold was over before it could be told is told to ask again', async (t) => {
  const { locks } = openLocksOver(bench.dependencies)
  // As if the answer was lost, and the Redis is asked again a second later.
  const acquire: typeof locks.acquire = async (name, ...rest) => {
    await locks.acquire(name, ...rest)
    await elapse(bench.redis, 1_000, encodeURIComponent(name))
    return locks.acquire(name, ...rest)
  }
  const { next: nextLogId } = bench.dependencies.identifiers
  const server = await openServiceServer({
    service: 'ids',
    routes: distributedLockRoutes({ verbs: { ...locks, acquire }, nextLogId }),
  })
  const late = openClient(`http://127.0.0.1:${server.port}`)
  const { path, ask } = await makeLock({ user: 'tenant' })
  const held = await late.request('PUT', `${path}/write-process/p1?timeout=1`, { 'user-id': 'tenant' })
  late.close()
  await server.close()
  t.is(held.status, 503, held.text)
  t.truthy(held.headers['retry-after'])
  t.like((await ask('GET')).json, { current_state: 'FREE' })
})

test.serial('many processes read, each once, until the last has released', async (t) => {
  const { ask } = await makeLock()
  t.like((await ask('PUT', '/read-process/p1?timeout=30')).json, { current_state: 'READ' })
  const both = (await ask('PUT', '/read-process/p2?timeout_seconds=40')).json
  t.deepEqual(both.read_process_list.map(({ process_id, timeout }) => [process_id, timeout]).toSorted(), [
    ['p1', 30],
    ['p2', 40],
  ])
  t.is((await ask('PUT', '/read-process/p1')).status, 406)
  t.is((await ask('PUT', '/write-process/p3')).status, 409)
  t.is((await ask('DELETE', '/write-process/p1')).status, 400)
  t.like((await ask('DELETE', '/read-process/p1')).json, { current_state: 'READ' })
  t.is((await ask('DELETE', '/read-process/p1')).status, 400)
  t.like((await ask('DELETE', '/read-process/p2')).json, { current_state: 'FREE', read_process_list: [] })
  t.is((await ask('DELETE', '/read-process/p2')).status, 400)
})

test.serial('many processes write, or one alone where it was made so', async (t) => {
  const shared = await makeLock()
  t.is((await shared.ask('PUT', '/write-process/p1')).status, 200)
  t.is((await shared.ask('PUT', '/write-process/p2')).json.write_process_list.length, 2)
  t.is((await shared.ask('PUT', '/read-process/p3')).status, 409)
  const alone = await makeLock({ isExclusive: true })
  t.like((await alone.ask('PUT', '/write-process/p1')).json, { current_state: 'WRITE' })
  t.is((await alone.ask('PUT', '/write-process/p2')).status, 409)
  t.is((await alone.ask('PUT', '/write-process/p1')).status, 406)
})

test.serial('a refresh lets a process have it for longer, and acquires nothing', async (t) => {
  const { ask } = await makeLock()
  t.is((await ask('PUT', '/read-process/p1/refresh')).status, 404)
  await ask('PUT', '/read-process/p1?timeout=30')
  const refreshed = (await ask('PUT', '/read-process/p1/refresh?timeout=90')).json
  t.deepEqual(
    refreshed.read_process_list.map(({ process_id, timeout }) => [process_id, timeout]),
    [['p1', 90]],
  )
  t.is((await ask('PUT', '/write-process/p1/refresh')).status, 409)
})

test.serial('a process whose time is over is gone at the next look, and stands in nobody’s way', async (t) => {
  const { ask } = await makeLock({ isExclusive: true })
  await ask('PUT', '/write-process/p1?timeout=1')
  await eventually(async () => assert.equal((await ask('GET')).json.current_state, 'FREE'), LATE_MS)
  t.is((await ask('PUT', '/write-process/p1/refresh')).status, 404)
  t.is((await ask('PUT', '/read-process/p2')).status, 200)
})

test.serial('of requests of one process at one moment one has it', async (t) => {
  const { ask } = await makeLock()
  const replies = await Promise.all(Array.from({ length: 10 }, () => ask('PUT', '/read-process/p1')))
  t.deepEqual(replies.map(({ status }) => status).toSorted(), [200, ...Array.from({ length: 9 }, () => 406)])
  t.is((await ask('GET')).json.read_process_list.length, 1)
})

test.serial('what another client has put beside its lease says nothing to the service', async (t) => {
  const { path, ask } = await makeLock({ user: 'tenant' })
  const put = (name: string, lease: string, body: object) =>
    client.request('PUT', `/locks/${encodeURIComponent(name)}/leases/${lease}`, JSON_TYPE, JSON.stringify(body))
  const victim = nanoid()
  t.is((await put(victim, 'of-victim', {})).status, 201)
  const metadata = { process: 'p1', lease: `of-victim\nlock=${victim}` }
  t.is((await put(`tenant/${path.split('/').at(-1)}`, nanoid(), { mode: 'read', metadata })).status, 201)
  t.is((await ask('PUT', '/read-process/p1/refresh')).status, 404)
  t.is((await ask('DELETE', '/read-process/p1')).status, 400)
  t.like((await client.request('GET', `/locks/${victim}`, {})).json, { state: 'held' })
})
