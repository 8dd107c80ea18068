/** Jobs: one runner runs each slot, once, or again if it was lost. */
import assert from 'node:assert/strict'
import test from 'ava'
import { nanoid } from 'nanoid'
import { eventually } from '../../support/eventually.ts'
import { writtenTo } from '../../support/faults/older-redis.ts'
import { openLockReplica } from '../../support/lock-replica.ts'
import { openClient, problemOf } from '../../support/shop/client.ts'
import { comeBack, openBench, openDurable } from '../../support/shop/open-store.ts'

const bench = await openBench()
const replica = await openLockReplica(bench)
const client = openClient(replica.url)
test.after.always(async () => {
  client.close()
  await replica.close()
  await bench[Symbol.asyncDispose]()
})
/** Each test has a job of its own. */
let job: string
test.serial.beforeEach(() => {
  job = `nightly-${nanoid(8)}`
})

const FIRST = '2026-01-02T03:00:00Z'
const NEXT = '2026-01-03T03:00:00Z'
const LATE_MS = 3_000
const HOUR_MS = 3_600_000
const JSON_TYPE = { 'Content-Type': 'application/json' }

const ask = async (method: string, path: string, body?: object) => {
  const reply = await client.request(method, path, body ? JSON_TYPE : {}, body && JSON.stringify(body))
  return { ...reply, json: reply.json as Readonly<Record<string, unknown>> }
}
const runs = (slot: string, by: string): string => `/jobs/${job}/runs/${encodeURIComponent(slot)}/by/${by}`
const begin = (slot: string, by: string, body: object = {}) => ask('PUT', runs(slot, by), body)
const end = (slot: string, by: string, body: object) => ask('PATCH', runs(slot, by), body)
const standing = async () => (await ask('GET', `/jobs/${job}`)).json

test.serial('one runner is told to run a slot, and told so again if it asks again', async (t) => {
  const first = await begin(FIRST, 'a')
  t.is(first.status, 201)
  t.is(first.headers.location, `/jobs/${job}`)
  t.like(await begin(FIRST, 'a'), { status: 200, json: { token: first.json.token } })
  const refused = await begin(FIRST, 'b')
  t.like(problemOf(refused), {
    status: 409,
    type: 'urn:shop:problem:run-taken',
    state: 'running',
    by: 'a',
    slot: FIRST,
  })
  t.like(await standing(), { running: { slot: FIRST, by: 'a' }, last: { slot: FIRST, state: 'running' } })
})

test.serial('a run that is over is remembered, with what it came to and a note of it', async (t) => {
  await begin(FIRST, 'a')
  t.like(await end(FIRST, 'a', { outcome: 'failed', note: 'no disk – left' }), {
    status: 200,
    json: { state: 'failed' },
  })
  t.like(await end(FIRST, 'a', { outcome: 'failed' }), { status: 200 })
  t.like(problemOf(await end(FIRST, 'a', { outcome: 'done' })), { status: 409, type: 'urn:shop:problem:run-decided' })
  for (const by of ['a', 'b'])
    t.like(problemOf(await begin(FIRST, by, { if_lost: 'again' })), { status: 409, state: 'failed', by: 'a' })
  t.like(await standing(), { running: null, last: { slot: FIRST, state: 'failed', note: 'no disk – left' } })
})

test.serial('a note without an outcome is refused, for it would not be kept', async (t) => {
  await begin(FIRST, 'a')
  for (const note of ['x', ''])
    t.like(problemOf(await end(FIRST, 'a', { note })), { status: 422, field: 'note' }, `"${note}"`)
  t.like(await standing(), { running: { by: 'a', note: null } })
})

test.serial('a run is found running also while somebody waits for the lock of its job', async (t) => {
  await begin(FIRST, 'a')
  const lock = `/locks/${encodeURIComponent(`jobs/${job}`)}/leases/waits`
  t.is((await ask('PUT', lock, { queue: true })).status, 202)
  t.like(await standing(), { running: { slot: FIRST, by: 'a' } })
  t.like(problemOf(await begin(NEXT, 'b')), { status: 409, state: 'running', slot: FIRST, by: 'a' })
})

test.serial('a run that is over cannot be renewed, and is not said to be lost', async (t) => {
  await begin(FIRST, 'a')
  await end(FIRST, 'a', { outcome: 'done' })
  t.like(problemOf(await end(FIRST, 'a', {})), { status: 409, type: 'urn:shop:problem:run-decided', state: 'done' })
})

test.serial('a slot before the last one that was begun is not run any more', async (t) => {
  await begin(NEXT, 'a')
  await end(NEXT, 'a', { outcome: 'done' })
  t.like(problemOf(await begin(FIRST, 'b')), { status: 410, type: 'urn:shop:problem:later-run-begun', newest: NEXT })
})

const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString().replace(/\.\d+/, '')

test.serial('a slot far ahead is not begun, so that it keeps no earlier one from being run', async (t) => {
  const refused = await begin(inMs(2 * HOUR_MS), 'a')
  t.like(problemOf(refused), { status: 400, type: 'urn:shop:problem:run-too-early', field: 'slot' })
  t.regex(`${problemOf(refused).latest}`, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  t.deepEqual(await standing(), { job, running: null, last: null })
  t.is((await begin(FIRST, 'a')).status, 201)
  await end(FIRST, 'a', { outcome: 'done' })
  t.is((await begin(inMs(HOUR_MS / 2), 'a')).status, 201)
})

test.serial('a slot far ahead that was begun nevertheless keeps no earlier one from being run', async (t) => {
  await bench.redis.hset(`job:jobs%2F${job}`, 'newest', Math.floor(Date.now() / 1_000) + 86_400)
  t.is((await begin(NEXT, 'a')).status, 201)
  await end(NEXT, 'a', { outcome: 'done' })
  t.like(problemOf(await begin(FIRST, 'a')), { status: 410, newest: NEXT })
})

test.serial('the next slot waits for the run of the one before', async (t) => {
  await begin(FIRST, 'a')
  t.like(problemOf(await begin(NEXT, 'b')), { status: 409, state: 'running', slot: FIRST })
  await end(FIRST, 'a', { outcome: 'done' })
  t.is((await begin(NEXT, 'b')).status, 201)
})

test.serial(
  'a run that gives no sign is lost: it is skipped, or run again if that is wanted, with a greater token',
  async (t) => {
    const first = await begin(FIRST, 'a', { ttl_ms: 100 })
    await eventually(async () => assert.equal((await standing()).running, null), LATE_MS)
    t.like(problemOf(await begin(FIRST, 'b')), { status: 409, state: 'lost', by: 'a' })
    const again = await begin(FIRST, 'b', { if_lost: 'again' })
    t.is(again.status, 201)
    t.true(Number(again.json.token) > Number(first.json.token))
    t.like(problemOf(await end(FIRST, 'a', { outcome: 'done' })), { status: 410, type: 'urn:shop:problem:run-lost' })
    t.like(problemOf(await end(FIRST, 'a', {})), { status: 410 })
    t.is((await end(FIRST, 'b', { outcome: 'done' })).status, 200)
  },
)

test.serial('a run that was lost may be run again by the same runner, and is kept then', async (t) => {
  await begin(FIRST, 'a', { ttl_ms: 100 })
  await eventually(async () => assert.equal((await standing()).running, null), LATE_MS)
  t.is((await begin(FIRST, 'a', { if_lost: 'again' })).status, 201)
  // What was remembered of the lost one ends in a while.
  for (const key of await bench.redis.keys(`lock-lease:*-a:*${job}`))
    if ((await bench.redis.pttl(key)) > 0) await bench.redis.del(key)
  t.like(await standing(), { running: { by: 'a' } })
})

test.serial('a run lasts for as long as it is renewed', async (t) => {
  await begin(FIRST, 'a', { ttl_ms: 10_000 })
  const { json } = await end(FIRST, 'a', { ttl_ms: 60_000 })
  t.is(json.state, 'running')
  t.true(Number(json.expires_in_ms) > 10_000)
  t.like(problemOf(await begin(FIRST, 'b', { if_lost: 'again' })), { state: 'running' })
  t.like(problemOf(await end(NEXT, 'a', { outcome: 'done' })), { status: 404, type: 'urn:shop:problem:no-such-run' })
})

test.serial('of many runners at one moment one is told to run it', async (t) => {
  const begun = await Promise.all(Array.from({ length: 10 }, (_, at) => begin(FIRST, `r${at}`)))
  t.deepEqual(begun.map(({ status }) => status).sort(), [201, ...Array.from({ length: 9 }, () => 409)])
})

test.serial('so many slots are remembered as is wanted', async (t) => {
  for (const day of ['05', '06', '07']) {
    await begin(`2026-01-${day}T03:00:00Z`, 'a', { keep: 2 })
    await end(`2026-01-${day}T03:00:00Z`, 'a', { outcome: 'done' })
  }
  t.like(problemOf(await begin('2026-01-06T03:00:00+00:00', 'a')), { status: 409 })
  t.like(problemOf(await begin('2026-01-05T03:00:00Z', 'a')), { status: 410 })
})

test.serial('a slot that is run again is remembered until it has ended, however few are', async (t) => {
  await begin(FIRST, 'a', { ttl_ms: 100 })
  await eventually(async () => assert.equal((await standing()).running, null), LATE_MS)
  await begin(NEXT, 'a')
  await end(NEXT, 'a', { outcome: 'done' })
  t.is((await begin(FIRST, 'b', { if_lost: 'again', keep: 1 })).status, 201)
  t.like(await standing(), { running: { slot: FIRST, by: 'b' } })
  t.is((await end(FIRST, 'b', { outcome: 'done' })).status, 200)
})

test.serial('a lock of a job that is held by no run is locked, whatever its lease is called', async (t) => {
  t.is((await ask('PUT', `/locks/jobs%2F${job}/leases/123-x`)).status, 201)
  const refused = await begin(FIRST, 'a')
  t.like(problemOf(refused), { status: 423, type: 'urn:shop:problem:lock-held' })
  t.regex(String(refused.headers['retry-after']), /^1[2-5]$/, 'half the rest of the lease')
  t.deepEqual(await standing(), { job, running: null, last: null })
  await ask('DELETE', `/locks/jobs%2F${job}/leases/123-x`)
  t.is((await begin(FIRST, 'a')).status, 201)
})

test.serial('a job that was never begun has no runs, and what is no slot is refused', async (t) => {
  t.deepEqual((await ask('GET', '/jobs/never')).json, { job: 'never', running: null, last: null })
  for (const slot of [
    'yesterday',
    '2026-01-02',
    '2026-01-02T03:00:00.5Z',
    '2026-13-02T03:00:00Z',
    '2026-02-30T03:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T24:00:00.0+01:00',
  ])
    t.like(problemOf(await begin(slot, 'a')), { status: 400, field: 'slot' }, slot)
  const { detail, field } = problemOf(await begin('2016-12-31T23:59:60Z', 'a'))
  t.is(field, 'slot')
  t.regex(String(detail), /which no leap second is/)
  t.like(problemOf(await ask('GET', `/jobs/${'x'.repeat(252)}`)), { status: 422, field: 'job' })
})

test.serial('a run that the Redis has forgotten is not begun by others before its lease has ended', async (t) => {
  const older = await openDurable(t)
  const there = await openLockReplica(older)
  t.teardown(there.close)
  const elsewhere = openClient(there.url)
  t.teardown(elsewhere.close)
  const beginThere = (by: string) => elsewhere.request('PUT', runs(FIRST, by), JSON_TYPE, '{"ttl_ms":60000}')
  t.is((await elsewhere.get(`/jobs/${job}`)).status, 200)
  const position = await writtenTo(older.server.dir)
  t.is((await beginThere('a')).status, 201)
  await comeBack(older, position)
  t.is((await older.redis.keys('job:*')).length, 0, 'it has forgotten the run')
  for (const by of ['b', 'a'])
    t.like(problemOf(await beginThere(by)), { status: 503, type: 'urn:shop:problem:locks-in-doubt' })
})
