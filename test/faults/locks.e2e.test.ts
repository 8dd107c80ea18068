/**
 * Locks of two replicas, one of which dies, freezes or loses a reply wherever it can, while many programs wait in line: nobody sees an
 * error, each lease is granted once, and places are kept.
 */
import assert from 'node:assert/strict'
import { setTimeout as after } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { nanoid } from 'nanoid'
import type { LogEntry } from '../../shared/log/entry.ts'
import { eventually } from '../support/eventually.ts'
import { instruct, listening, whenHit } from '../support/faults/crash-points.ts'
import { FULL } from '../support/faults/daily.ts'
import type { Client, Reply } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test, { replicas: { ids: 2 }, env: { all: listening } })

const CLIENTS = 50
const TTL_MS = 10_000
const WAIT_MS = 25_000
const HIT_MS = 10_000
const FREEZE_MS = 2_500
/**
 * A program that waits has to wait so much longer at most: as long as the gateway takes a frozen replica for alive, 2 s. Where
 * the machine has much else to do, until a lease is given up that nobody claims (5 s), and a bit.
 */
const EXTRA_MS = FULL ? 3_000 : 8_000

const ask = (client: Client, method: string, path: string, body?: object): Promise<Reply> =>
  client.request(method, path, body ? { 'Content-Type': 'application/json' } : {}, body && JSON.stringify(body))

/** A program gets the lock in its turn, and releases it. @returns all that it was answered */
const work = async (client: Client, lock: string, at: number): Promise<readonly Reply[]> => {
  const lease = `${lock}/leases/${nanoid()}`
  const replies: Reply[] = []
  const said = async (method: string, path: string, body?: object): Promise<Reply> => {
    const reply = await ask(client, method, path, body)
    replies.push(reply)
    return reply
  }
  // Some poll for their place.
  const polls = at % 3 === 1
  const wanted = polls ? { ttl_ms: TTL_MS, queue: true } : { ttl_ms: TTL_MS, wait_ms: WAIT_MS }
  let held = await said('PUT', lease, wanted)
  while (held.status === 202) held = await said('GET', `${lease}?wait_ms=10000`)
  // Some renew it, of those that wait at either replica: they were given to one and the other in turn.
  if (at % 4 < 2) await said('PATCH', lease, {})
  await said('DELETE', lease)
  return replies
}

type State = {
  readonly services: readonly { readonly name: string; readonly replicas: readonly { readonly condition: string }[] }[]
}

/** The gateway asks both replicas: one that has just come back is asked nothing until it is seen to be ready. */
const whenBothAreAsked = (client: Client): Promise<void> =>
  eventually(async () => {
    const { services } = (await ask(client, 'GET', '/console/state')).json as State
    const conditions = services.find(({ name }) => name === 'ids')?.replicas.map(({ condition }) => condition)
    assert.deepEqual(conditions, ['ready', 'ready'])
  }, TTL_MS)

const millisOf = ({ id }: LogEntry): number => Number(id.split('-')[0])

const assertInLine = (t: ExecutionContext, entries: readonly LogEntry[], leases: number): void => {
  const granted = entries.filter(({ kind }) => kind === 'LockGranted')
  t.is(granted.length, leases, 'one grant for each lease')
  t.is(new Set(granted.map(({ log_id }) => log_id)).size, leases)
  const queued = entries.filter(({ kind }) => kind === 'LockQueued').map(({ log_id }) => log_id)
  const inTurn = granted.map(({ log_id }) => log_id).filter((lease) => queued.includes(lease))
  t.deepEqual(inTurn, queued, 'places are kept')
  const gaps = granted.slice(1).map((entry, at) => millisOf(entry) - millisOf(granted[at] as LogEntry))
  t.true(Math.max(...gaps) < EXTRA_MS, `somebody waited ${Math.max(...gaps)} ms longer`)
}

const STEPS = ['acquire-lock', 'ask-lease', 'renew-lease', 'release-lease', 'tick-locks', 'follow'] as const
const all = STEPS.flatMap((step) =>
  (['before', 'after'] as const).flatMap((side) =>
    (['kill', 'freeze', 'lose-reply'] as const)
      .filter((fault) => fault !== 'lose-reply' || side === 'after')
      .map((fault) => ({ point: `ids.${step}.${side}`, fault, nth: 1 })),
  ),
)
const SHORT = ['ids.acquire-lock.after/kill', 'ids.release-lease.after/kill', 'ids.ask-lease.before/freeze']
const cases = FULL ? all : all.filter(({ point, fault }) => SHORT.includes(`${point}/${fault}`))

for (const armed of cases)
  test.serial(`${armed.point} (${armed.fault}): nobody who waits for a lock sees an error`, async (t) => {
    const { shop, client } = opened()
    const part = shop.part('ids-1')
    const lock = `/locks/${nanoid()}`
    const first = `${lock}/leases/first`
    await whenBothAreAsked(client)
    assert.equal((await ask(client, 'PUT', first, { ttl_ms: TTL_MS })).status, 201)
    const working = Promise.all(Array.from({ length: CLIENTS }, (_, at) => work(client, lock, at)))
    await eventually(async () => {
      const { waiter_count } = (await ask(client, 'GET', lock)).json as { waiter_count: number }
      assert.equal(waiter_count, CLIENTS)
    }, TTL_MS)
    const hit = whenHit(part, armed, HIT_MS)
    hit.catch(() => undefined)
    await instruct(part, { record: false, armed: [armed] })
    t.is((await ask(client, 'DELETE', first)).status, 200)
    await hit
    if (armed.fault === 'kill') await part.exited
    if (armed.fault === 'freeze') await after(FREEZE_MS)
    part.thaw()
    await eventually(() => part.start(), HIT_MS)
    const replies = (await working).flat()
    await instruct(part, { record: false, armed: [] })
    const others = replies.filter(({ status }) => ![200, 201, 202, 423].includes(status))
    t.deepEqual(
      others.map(({ status, text }) => `${status} ${text}`),
      [],
    )
    const name = lock.slice('/locks/'.length)
    const entries = (await client.log('ids')).filter(({ facts }) => facts.lock === name)
    assertInLine(t, entries, CLIENTS + 1)
  })
