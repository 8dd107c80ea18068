/** Elections: one candidate leads, the next takes over, and the term rises. */
import assert from 'node:assert/strict'
import test from 'ava'
import { nanoid } from 'nanoid'
import { eventsIn, type LockEvent } from '../../../ids/lock/client/reading.ts'
import { eventually } from '../../support/eventually.ts'
import { openLockReplica } from '../../support/lock-replica.ts'
import { elapse } from '../../support/locks.ts'
import { openClient, problemOf } from '../../support/shop/client.ts'
import { openBench } from '../../support/shop/open-store.ts'

const bench = await openBench()
const replica = await openLockReplica(bench)
const client = openClient(replica.url)
test.after.always(async () => {
  client.close()
  await replica.close()
  await bench[Symbol.asyncDispose]()
})

const LATE_MS = 5_000
const JSON_TYPE = { 'Content-Type': 'application/json' }

/** Each test has an election of its own. */
let election: string
test.serial.beforeEach(() => {
  election = `mailer/${nanoid(8)}`
})
const ask = async (method: string, candidate: string, body?: object, query = '') => {
  const path = `/elections/${encodeURIComponent(election)}${candidate && `/candidates/${candidate}`}${query}`
  const reply = await client.request(method, path, body ? JSON_TYPE : {}, body && JSON.stringify(body))
  return { ...reply, json: reply.json as Readonly<Record<string, unknown>> }
}
const shown = async () => (await ask('GET', '')).json

test.serial('the first candidate leads, and is told so again', async (t) => {
  t.deepEqual(await shown(), { name: election, leader: null, candidates: 0 })
  const first = await ask('PUT', 'a', { value: 'http://a', ttl_ms: 30_000 })
  t.is(first.status, 201)
  t.is(first.headers.location, `/elections/${encodeURIComponent(election)}/candidates/a`)
  t.like(first.json, { leader: true, candidate: 'a', value: 'http://a', ttl_ms: 30_000 })
  t.like(await ask('PUT', 'a', { value: 'http://a', ttl_ms: 30_000 }), { status: 200, json: { term: first.json.term } })
  t.like(await shown(), { leader: { candidate: 'a', value: 'http://a', term: first.json.term }, candidates: 1 })
})

test.serial('others wait in their order, and learn who leads', async (t) => {
  await ask('PUT', 'a')
  t.like(await ask('PUT', 'b'), { status: 202, json: { leader: false, position: 1, led_by: 'a' } })
  t.like(await ask('PUT', 'c'), { status: 202, json: { leader: false, position: 2, led_by: 'a' } })
  t.like(await ask('GET', 'c'), { status: 202, json: { position: 2 } })
  t.like(await shown(), { candidates: 3 })
})

test.serial('when the leader resigns the next one leads, which waits for it, with a greater term', async (t) => {
  const { term } = (await ask('PUT', 'a')).json
  await ask('PUT', 'b', { value: 'http://b' })
  const waiting = ask('GET', 'b', undefined, '?wait_ms=20000')
  t.like((await ask('DELETE', 'a')).json, { candidate: 'a', ended: 'released' })
  const { status, json } = await waiting
  t.is(status, 200)
  t.true(Number(json.term) > Number(term))
  t.like(await shown(), { leader: { candidate: 'b', value: 'http://b' }, candidates: 1 })
  t.like(problemOf(await ask('GET', 'a')), { status: 410, ended: 'released' })
  t.like(problemOf(await ask('PATCH', 'a')), { status: 410 })
})

test.serial('a leader that gives no sign leads no more after its time', async (t) => {
  await ask('PUT', 'a', { ttl_ms: 200 })
  await ask('PUT', 'b')
  await eventually(async () => assert.equal((await ask('GET', 'b')).status, 200), LATE_MS)
  t.like(problemOf(await ask('PATCH', 'a')), { status: 410, ended: 'expired' })
})

test.serial('a candidate that has lost may stand again, one that has resigned after a minute', async (t) => {
  const { term } = (await ask('PUT', 'a', { ttl_ms: 100 })).json
  await eventually(async () => assert.equal((await shown()).leader, null), LATE_MS)
  const again = await ask('PUT', 'a', { ttl_ms: 30_000 })
  t.is(again.status, 201, 'as a process that was started again does')
  t.true(Number(again.json.term) > Number(term))
  await ask('DELETE', 'a')
  t.like(problemOf(await ask('PUT', 'a', { ttl_ms: 30_000 })), { status: 410, ended: 'released' })
  const otherwise = { ttl_ms: 20_000, value: 'http://other' }
  t.like(problemOf(await ask('PUT', 'a', otherwise)), { status: 410, ended: 'released' }, 'whatever it asks for')
  await elapse(bench.redis, 60_000, encodeURIComponent(`elections/${election}`))
  t.is((await ask('PUT', 'a', otherwise)).status, 201)
  t.like(problemOf(await ask('PUT', 'a', { ttl_ms: 30_000 })), { status: 422, type: 'urn:shop:problem:lease-reused' })
})

test.serial('a leader leads for longer, and may be known by something else', async (t) => {
  await ask('PUT', 'a', { value: 'http://a' })
  t.like(await ask('PATCH', 'a', { ttl_ms: 60_000, value: 'http://b' }), {
    status: 200,
    json: { leader: true, value: 'http://b', ttl_ms: 60_000 },
  })
  t.like(await ask('PATCH', 'a'), { status: 200, json: { value: 'http://b' } })
  t.like(problemOf(await ask('PATCH', 'b')), { status: 404, type: 'urn:shop:problem:no-such-lease' })
})

test.serial('a watcher is sent who leads, and what becomes of it, also what it has missed', async (t) => {
  const path = `${replica.url}/elections/${encodeURIComponent(election)}/events`
  const { term } = (await ask('PUT', 'a', { value: 'http://a' })).json
  const abort = new AbortController()
  const open = async (headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(path, { headers, signal: abort.signal })
    assert.ok(response.body)
    return eventsIn(response.body)
  }
  const events = await open()
  const next = async (from = events) => ((await from.next()).value ?? assert.fail('it has ended')) as LockEvent
  const state = await next()
  t.like(state, { event: 'state', data: { name: election, leader: { candidate: 'a', value: 'http://a', term } } })
  await ask('PUT', 'b')
  await ask('PUT', 'c')
  t.like(await next(), { event: 'standing', data: { candidate: 'b', term: null } })
  t.like(await next(), { event: 'standing', data: { candidate: 'c' } })
  await ask('PATCH', 'a')
  await ask('DELETE', 'c')
  await ask('DELETE', 'a')
  t.like(await next(), { event: 'renewed', data: { candidate: 'a', term } })
  t.like(await next(), { event: 'withdrawn', data: { candidate: 'c', why: 'cancelled' } })
  t.like(await next(), { event: 'resigned', data: { name: election, event: 'resigned', candidate: 'a', term } })
  const elected = await next()
  t.like(elected, { event: 'elected', data: { candidate: 'b', why: null } })
  await client.request('DELETE', `/locks/${encodeURIComponent(`elections/${election}`)}`)
  t.like(await next(), { event: 'lost', data: { candidate: 'b', term: elected.data.term, why: 'forced' } })
  const missed = await open({ 'Last-Event-ID': state.id })
  t.like(await next(missed), { event: 'standing', data: { candidate: 'b' } })
  abort.abort()
})

test.serial('what is too long is refused, naming the field', async (t) => {
  t.like(problemOf(await ask('PUT', 'a', { value: 'ü'.repeat(129) })), { status: 422, field: 'value' })
  t.like(problemOf(await ask('PUT', 'a', { ttl_ms: 99 })), { status: 422, field: 'ttl_ms' })
  election = 'x'.repeat(247)
  t.like(problemOf(await ask('PUT', 'a')), { status: 422, field: 'name' })
})
