/** The routes of locks, as clients ask them of one replica. */
import assert from 'node:assert/strict'
import test from 'ava'
import { eventually } from '../../support/eventually.ts'
import { openLockReplica } from '../../support/lock-replica.ts'
import { problemOf } from '../../support/shop/client.ts'
import { openBench } from '../../support/shop/open-store.ts'

const bench = await openBench()

const first = await openLockReplica(bench)
const second = await openLockReplica(bench)
const { ask } = first
test.after.always(async () => {
  await Promise.all([first.close(), second.close()])
  await bench[Symbol.asyncDispose]()
})

const isWaitedFor = (name: string): Promise<void> =>
  eventually(async () => {
    const { waiter_count } = (await ask('GET', `/locks/${name}`)).json as { waiter_count: number }
    assert.equal(waiter_count, 1)
  }, 10_000)

test('a lock is held, shown, renewed and released', async (t) => {
  const path = '/locks/bill%3A7%2Fa%20b'
  const held = await ask('PUT', `${path}/leases/l1`, { owner: 'w-1', metadata: { for: 'bill 7' } })
  t.is(held.status, 201, held.text)
  t.is(held.headers.location, `${path}/leases/l1`)
  t.like(held.json, { name: 'bill:7/a b', lease: 'l1', state: 'held', mode: 'exclusive', owner: 'w-1', ttl_ms: 30_000 })
  t.is((await ask('PUT', `${path}/leases/l1`, { owner: 'w-1', metadata: { for: 'bill 7' } })).status, 200)
  const refused = await ask('PUT', `${path}/leases/l2`)
  t.is(refused.status, 423)
  t.regex(String(refused.headers['retry-after']), /^1[2-5]$/, 'half the rest of the lease')
  t.like(problemOf(refused), { type: 'urn:shop:problem:lock-held', retry: { multiplier: 1.5 } })
  t.like((await ask('GET', path)).json, { state: 'held', holders: [{ owner: 'w-1' }], waiter_count: 0 })
  t.is((await ask('PATCH', `${path}/leases/l1`, { ttl_ms: 60_000 })).status, 200)
  t.is((await ask('PATCH', `${path}/leases/l2`)).status, 404)
  const ended = await ask('DELETE', `${path}/leases/l1`)
  t.like(ended.json, { ended: 'released', waiter_promoted: false })
  t.deepEqual((await ask('DELETE', `${path}/leases/l1`)).json, ended.json)
  const gone = await ask('GET', `${path}/leases/l1`)
  t.is(gone.status, 410)
  t.like(problemOf(gone), { ended: 'released' })
  t.like((await ask('GET', path)).json, { state: 'free', holders: [] })
})

test('one that waits gets the lock when it is released, from whichever replica', async (t) => {
  await ask('PUT', '/locks/waited/leases/l1')
  const waiting = second.ask('PUT', '/locks/waited/leases/l2', { wait_ms: 20_000 })
  await isWaitedFor('waited')
  t.is((await ask('DELETE', '/locks/waited/leases/l1')).status, 200)
  t.is((await waiting).status, 200)
  const polled = second.ask('GET', '/locks/waited/leases/l2?wait_ms=20000')
  t.is((await polled).status, 200)
})

test('a place in the queue is told at once, and fetched later', async (t) => {
  await ask('PUT', '/locks/queued/leases/l1')
  const queued = await ask('PUT', '/locks/queued/leases/l2', { queue: true })
  t.is(queued.status, 202)
  t.like(queued.json, { state: 'waiting', position: 1, ahead: 1, estimated_wait_ms: null })
  const polled = second.ask('GET', '/locks/queued/leases/l2?wait_ms=20000')
  await ask('DELETE', '/locks/queued/leases/l1')
  t.is((await polled).status, 200)
})

test('a wait that is over is refused as if there had been none', async (t) => {
  await ask('PUT', '/locks/late/leases/l1')
  const refused = await ask('PUT', '/locks/late/leases/l2', { wait_ms: 150 })
  t.is(refused.status, 423, refused.text)
  t.regex(String(refused.headers['retry-after']), /^1[2-5]$/, 'half the rest of the lease that holds')
  t.is((await ask('PUT', '/locks/late/leases/l2', { wait_ms: 150 })).status, 423)
  t.like(problemOf(await ask('GET', '/locks/late/leases/l2')), { status: 410, ended: 'timed-out' })
  const key = { 'Idempotency-Key': 'late-1' }
  for (const time of ['first', 'again']) {
    const unnamed = await ask('POST', '/locks/late/leases', { wait_ms: 150 }, key)
    t.is(unnamed.status, 423, unnamed.text)
    t.regex(String(unnamed.headers['retry-after']), /^1[2-5]$/, time)
  }
})

test('who asks by a lease whose wait is over learns so once the lock is free', async (t) => {
  const key = { 'Idempotency-Key': 'over-1' }
  await ask('PUT', '/locks/over/leases/l1')
  const named = () => ask('PUT', '/locks/over/leases/l2', { wait_ms: 150 })
  const unnamed = () => ask('POST', '/locks/over/leases', { wait_ms: 150 }, key)
  for (const one of [named, unnamed]) t.is((await one()).status, 423)
  await ask('DELETE', '/locks/over/leases/l1')
  for (const one of [named, unnamed]) {
    const again = await one()
    t.like(problemOf(again), { status: 410, ended: 'timed-out' }, again.text)
    t.regex(problemOf(again).detail, /ask by another one/)
  }
  t.is((await ask('PUT', '/locks/over/leases/l3')).status, 201)
})

test('so does who would get it beside those that hold', async (t) => {
  const key = { 'Idempotency-Key': 'beside-1' }
  const wish = { mode: 'permit', limit: 2 }
  for (const lease of ['l1', 'l2']) await ask('PUT', `/locks/beside/leases/${lease}`, wish)
  const named = () => ask('PUT', '/locks/beside/leases/l3', { ...wish, wait_ms: 150 })
  const unnamed = () => ask('POST', '/locks/beside/leases', { ...wish, wait_ms: 150 }, key)
  for (const one of [named, unnamed]) for (const _ of [1, 2]) t.is((await one()).status, 423)
  await ask('DELETE', '/locks/beside/leases/l1')
  for (const one of [named, unnamed]) t.like(problemOf(await one()), { status: 410, ended: 'timed-out' })
  t.is((await ask('PUT', '/locks/beside/leases/l4', wish)).status, 201)
  for (const one of [named, unnamed]) t.is((await one()).status, 423)
})

for (const [method, place, end] of [
  ['PUT', 'leases/l2', 'expired'],
  ['POST', 'leases', 'released'],
] as const)
  test(`nobody fetches the lock for a client that has gone while it waited: ${method}`, async (t) => {
    const name = `gone-${method}`
    await ask('PUT', `/locks/${name}/leases/l1`)
    const leaving = new AbortController()
    const asked = fetch(`${second.url}/locks/${name}/${place}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ wait_ms: 20_000 }),
      signal: leaving.signal,
    })
    await isWaitedFor(name)
    leaving.abort()
    await t.throwsAsync(asked)
    await eventually(async () => {
      const { waiting_here } = (await second.ask('GET', '/locks/-/status')).json as { waiting_here: number }
      assert.equal(waiting_here, 0, 'its request waits no longer')
      const { waiter_count } = (await ask('GET', `/locks/${name}`)).json as { waiter_count: number }
      assert.equal(waiter_count, method === 'PUT' ? 1 : 0, 'who has named its lease may come again')
    }, 20_000)
    t.like((await ask('DELETE', `/locks/${name}/leases/l1`)).json, { waiter_promoted: method === 'PUT' })
    await eventually(async () => {
      const shown = (await ask('GET', `/locks/${name}`)).json as { state: string; history: { event: string }[] }
      assert.deepEqual([shown.state, shown.history.at(-1)?.event], ['free', end])
    }, 20_000)
    t.pass()
  })

test.serial('a lease that expires is followed by the next within 200 ms', async (t) => {
  const grants = async (): Promise<readonly (readonly [granted: number, until: number])[]> =>
    (await bench.redis.xrange('log:ids', '-', '+')).flatMap(([id, [kind, text = '']]) =>
      kind === 'LockGranted' && text.includes(' lock=expiring ')
        ? [[Number(id.split('-')[0]), Number(/until=(\d+)/.exec(text)?.[1])] as const]
        : [],
    )
  // A machine that has much else to do may be late once.
  const late: number[] = []
  for (let tries = 0; tries < 3 && !late.some((ms) => ms <= 200); tries += 1) {
    const [held, next] = [`held-${tries}`, `next-${tries}`]
    await ask('PUT', `/locks/expiring/leases/${held}`, { ttl_ms: 1_500 })
    const { status } = await second.ask('PUT', `/locks/expiring/leases/${next}`, { wait_ms: 10_000 })
    t.true(status === 200 || status === 201)
    const [[, until] = [0, 0], [granted] = [0, 0]] = (await grants()).slice(-2)
    t.true(granted >= until)
    late.push(granted - until)
    await ask('DELETE', `/locks/expiring/leases/${next}`)
  }
  t.true(
    late.some((ms) => ms <= 200),
    `it was late by ${late} ms`,
  )
})

test('under a key a lease that the service names is got once', async (t) => {
  const key = { 'Idempotency-Key': 'bill-7' }
  const one = await ask('POST', '/locks/named/leases', { owner: 'w' }, key)
  const again = await second.ask('POST', '/locks/named/leases', { owner: 'w' }, key)
  t.deepEqual([one.status, again.status], [201, 200])
  t.is(one.headers.location, `/locks/named/leases/${(again.json as { lease: string }).lease}`)
  t.is((await ask('POST', '/locks/named/leases', { owner: 'x' }, key)).status, 422)
  t.is((await ask('POST', '/locks/named/leases', { owner: 'x' })).status, 423)
})

test('under a key no lease is got once more that has ended, however long ago', async (t) => {
  const key = { 'Idempotency-Key': 'bill-8' }
  const { lease } = (await ask('POST', '/locks/ended/leases', {}, key)).json as { lease: string }
  await ask('DELETE', `/locks/ended/leases/${lease}`)
  t.is((await second.ask('POST', '/locks/ended/leases', {}, key)).status, 410)
  // As after ten minutes.
  await bench.redis.del(`lock-lease:${lease}:ended`)
  const reply = await second.ask('POST', '/locks/ended/leases', {}, key)
  t.deepEqual([reply.status, problemOf(reply).type], [404, 'urn:shop:problem:no-such-lease'])
  t.like((await ask('GET', '/locks/ended')).json, { state: 'free' })
})

test('operators configure, list and force locks', async (t) => {
  t.is((await ask('PUT', '/locks/gpu:1', { limit: 2 })).status, 201)
  t.is((await ask('PUT', '/locks/gpu:1', { limit: 2 })).status, 200)
  const one = await ask('PUT', '/locks/gpu:1/leases/l1', { mode: 'permit', metadata: { team: 'a' } })
  await ask('PUT', '/locks/gpu:1/leases/l2', { mode: 'permit', owner: 'w-2' })
  t.is((await ask('PUT', '/locks/gpu:1', { limit: 3 })).status, 409)
  t.is((await ask('PUT', '/locks/gpu:1/leases/l3', { mode: 'permit', limit: 9 })).status, 409)
  t.is((await ask('PUT', '/locks/gpu:1/leases/l3', { mode: 'permit', permits: 3 })).status, 422)
  const listed = async (query: string) => {
    const { locks, total } = (await ask('GET', `/locks?${query}`)).json as { locks: { name: string }[]; total?: number }
    return [locks.map(({ name }) => name), total]
  }
  t.deepEqual(await listed('name=gpu:*&count=true'), [['gpu:1'], 1])
  t.deepEqual(await listed('name=g*1&owner=w-*&mode=permit&state=held&expires_before_ms=30000'), [['gpu:1'], undefined])
  t.deepEqual(await listed('meta=team=a'), [['gpu:1'], undefined])
  t.deepEqual(await listed('name=gpu:*&meta=team=b'), [[], undefined])
  const { token } = one.json as { token: number }
  t.like((await ask('GET', `/locks/gpu:1/tokens/${token}`)).json, { holds: true, mode: 'permit', owner: null })
  const forced = await ask('DELETE', `/locks/gpu:1?token=${token}`)
  t.deepEqual(forced.json, { forced: [token], promoted: [], dropped: 0 })
  t.is((await ask('DELETE', `/locks/gpu:1?token=${token}`)).status, 410)
  t.is((await ask('GET', `/locks/gpu:1/tokens/${token}`)).status, 410)
  t.is((await ask('GET', '/locks/-/health')).status, 200)
  t.like((await ask('GET', '/locks/-/status')).json, { in_doubt_for_ms: 0, lost: [] })
})

test('under a key, to force another lease is another request', async (t) => {
  const tokens: number[] = []
  for (const lease of ['l1', 'l2']) {
    const { json } = await ask('PUT', `/locks/shared/leases/${lease}`, { mode: 'read' })
    tokens.push((json as { token: number }).token)
  }
  const force = (token = 0) => ask('DELETE', `/locks/shared?token=${token}`, undefined, { 'Idempotency-Key': 'forced' })
  t.like((await force(tokens[0])).json, { forced: [tokens[0]] })
  t.like((await force(tokens[0])).json, { forced: [tokens[0]] })
  t.is(problemOf(await force(tokens[1])).type, 'urn:shop:problem:idempotency-key-reused')
  t.is((await ask('GET', `/locks/shared/tokens/${tokens[1]}`)).status, 200)
})

for (const [what, body, field] of [
  ['a mode that is none', { mode: 'write' }, 'mode'],
  ['a TTL that is too short', { ttl_ms: 99 }, 'ttl_ms'],
  ['a TTL that is too long', { ttl_ms: 86_400_001 }, 'ttl_ms'],
  ['a wait that is too long', { wait_ms: 600_001 }, 'wait_ms'],
  ['a priority beyond the limits', { priority: 1_001 }, 'priority'],
  ['permits without their mode', { permits: 2 }, 'permits'],
  ['permits without a limit', { mode: 'permit' }, 'limit'],
  ['an owner that is too long', { owner: 'ü'.repeat(65) }, 'owner'],
  ['metadata that is no text', { metadata: { a: 1 } }, 'metadata.a'],
  ['too much metadata', { metadata: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [at, ''])) }, 'metadata'],
  ['metadata that is a list', { metadata: [] }, 'metadata'],
  ['metadata whose name would be left out', { metadata: { constructor: 'x' } }, 'metadata'],
  ['an unknown field', { time: 1 }, 'time'],
] as const)
  test(`${what} is refused, by its name`, async (t) => {
    const refused = await ask('PUT', '/locks/malformed/leases/l1', body)
    t.is(refused.status, 422, refused.text)
    t.is(problemOf(refused).field, field)
  })

for (const name of ['%00', 'x'.repeat(257), '%C3%BC'.repeat(129), '-'])
  test(`no lock is named ${name.slice(0, 20)}`, async (t) => {
    for (const [method, path] of [
      ['GET', ''],
      ['PUT', '/leases/l1'],
      ['DELETE', '/leases/l1'],
    ] as const) {
      const refused = await ask(method, `/locks/${name}${path}`)
      // What stands behind a dash is no lock.
      if (name === '-') t.is(refused.status, 404)
      else
        t.like(problemOf(refused), { status: 422, type: 'urn:shop:problem:invalid-name', field: 'name' }, refused.text)
    }
  })

for (const name of ['%', '%zz', '%FF', '%E0%A4%A'])
  test(`what is no percent-encoded name is malformed: ${name}`, async (t) => {
    t.like(problemOf(await ask('GET', `/locks/${name}`)), { status: 400, field: 'path' })
  })

/** Reads events until there are so many. */
const events = async (path: string, count: number, headers: Readonly<Record<string, string>> = {}) => {
  const abort = new AbortController()
  const response = await fetch(`${first.url}${path}`, { headers, signal: abort.signal })
  assert.equal(response.status, 200)
  let text = ''
  const found = () =>
    text
      .split('\n\n')
      .slice(0, -1)
      .flatMap((block) => {
        const [, id = '', event = '', data = ''] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(block) ?? []
        return event === '' ? [] : [{ id, event, data: JSON.parse(data) as Readonly<Record<string, unknown>> }]
      })
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    if (found().length >= count) break
  }
  abort.abort()
  return found()
}

test('a watcher is sent how a lock stands, then what happens to it, and what it has missed', async (t) => {
  const path = '/locks/watched'
  await ask('PUT', `${path}/leases/l1`, { owner: 'w-1', delay_ms: 60_000 })
  const watching = events(`${path}/events`, 4)
  // The first is sent once it watches.
  const others = events('/locks/-/events?name=watch*', 2)
  await eventually(async () => {
    await second.ask('PUT', `${path}/leases/${performance.now().toFixed()}`, { wait_ms: 1_000, queue: true })
    assert.ok((await Promise.race([others, [] as const])).length > 0)
  }, 10_000)
  t.is((await second.ask('DELETE', path)).status, 200)
  const seen = await watching
  t.is(seen[0]?.event, 'state')
  t.like(seen[0]?.data, { name: 'watched', state: 'held', holders: [{ owner: 'w-1' }] })
  t.is((await others)[0]?.event, 'state')
  const missed = await events(`${path}/events`, 2, { 'Last-Event-ID': seen[0]?.id ?? '' })
  t.is(missed[0]?.event, 'waiting')
  t.deepEqual(missed[0]?.data.name, 'watched')
  const log = await bench.redis.xrange('log:ids', '-', '+')
  const at = log.findIndex(([, [kind, text = '']]) => kind === 'LockForced' && text.includes(' lock=watched '))
  const [forced, delayed] = await events(`${path}/events`, 2, { 'Last-Event-ID': log[at - 1]?.[0] ?? '' })
  t.deepEqual([forced?.event, delayed?.event], ['forced', 'delayed'])
  t.false(JSON.stringify(seen).includes('l1'), 'a lease is a secret')
  const ahead = await events(`${path}/events`, 2, { 'Last-Event-ID': '9999999999999-0' })
  t.deepEqual(
    ahead.map(({ event }) => event),
    ['gap', 'state'],
  )
})

/** What is answered to a request that waits at a replica which is about to stop. */
const handedOn = async (name: string, method: string, place: string, headers?: Readonly<Record<string, string>>) => {
  const replica = await openLockReplica(bench)
  const waiting = replica.ask(method, `/locks/${name}/${place}`, { wait_ms: 20_000 }, headers)
  await isWaitedFor(name)
  await replica.closeServer()
  const handed = await waiting
  await replica.close()
  return handed
}

test('a replica that is about to stop hands what waits to another one', async (t) => {
  await ask('PUT', '/locks/handed/leases/l1')
  const handed = await handedOn('handed', 'PUT', 'leases/l2')
  t.is(handed.status, 503)
  t.is(handed.headers['x-not-started'], 'draining')
  const again = ask('PUT', '/locks/handed/leases/l2', { wait_ms: 20_000 })
  await ask('DELETE', '/locks/handed/leases/l1')
  t.is((await again).status, 200)
})

test('what waits without a name of its own leaves nothing in the queue when it is handed on', async (t) => {
  await ask('PUT', '/locks/nameless/leases/l1')
  t.is((await handedOn('nameless', 'POST', 'leases')).headers['x-not-started'], 'draining')
  t.like((await ask('GET', '/locks/nameless')).json, { waiter_count: 0 })
  const kept = await handedOn('nameless', 'POST', 'leases', { 'Idempotency-Key': 'nameless-1' })
  t.is(kept.headers['x-not-started'], 'draining')
  t.like((await ask('GET', '/locks/nameless')).json, { waiter_count: 1 }, 'under a key it is found again')
})
