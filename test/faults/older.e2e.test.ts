/**
 * A Redis comes back older than it was, in the middle of checkouts.
 *
 * It is killed, the end of its file is cut off, and it is started again; the services run on. They must notice it by
 * themselves, rebuild what the peers' logs prove, and settle every checkout. What a client was told is still true, or
 * what is missing of it is listed by name, in a report and in a log. If the file is whole, nothing is listed.
 *
 * `FAULTS=full` runs the whole matrix: each Redis and pairs of them, cut by 5 %, 50 % and to three seconds ago, and with a
 * service frozen at that moment, so that checkouts stand where it would have acted next.
 */

import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import { SERVICES, type Service } from '../../shared/contract/services.ts'
import type { LostTail } from '../../shared/log/entry.ts'
import { describe } from '../support/checker/anomaly.ts'
import { startWriting } from '../support/checker/durable-writes.ts'
import { findAnomalies, settle, type Told } from '../support/checker/invariants.ts'
import { away, eventually } from '../support/eventually.ts'
import { strike } from '../support/faults/catalogue.ts'
import { FULL } from '../support/faults/daily.ts'
import { type Cut, type Lost, writtenTo } from '../support/faults/older-redis.ts'
import { seedOrders, startCrowd } from '../support/load/customers.ts'
import { inParallel } from '../support/load/jobs.ts'
import type { Prefix } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test)

const ORDERS = FULL ? 160 : 80
/** The Redis dies once so many customers have been answered. */
const KILL_AFTER = ORDERS / 4
/** Long enough that checkouts stand before a service that is frozen. */
const FROZEN_MS = 150
const AGO_MS = 3_000
/** Within this time from the return every checkout has ended, and every loss is noticed. */
const SETTLE_MS = 5_000
/** How far a log is searched for what is lost. */
const TAIL_LINES = 20_000

const PREFIXES: Readonly<Record<Service, Prefix>> = {
  ids: 'ids',
  order: 'orders',
  payment: 'payment',
  stock: 'stock',
}
/** Who notices at least what is lost: those that read of it, or for want of them the process that did it. */
const NOTICED_BY: Readonly<Record<Service, readonly Service[]>> = {
  ids: ['ids'],
  order: ['payment'],
  payment: ['order', 'stock'],
  stock: ['payment'],
}

type Report = { readonly lost_tails: readonly LostTail[]; readonly contradictions: readonly string[] }
const reportOf = async (service: Service): Promise<Report> => {
  const reply = await opened().client.post(`/${PREFIXES[service]}/fault_tolerance`)
  assert.equal(reply.status, 200, reply.text)
  return reply.json as Report
}

type Loss = {
  readonly victims: readonly Service[]
  readonly cut: number | 'three seconds ago' | 'nothing'
  /** Who is frozen while the Redis dies. */
  readonly frozen?: Service
}

/** All that was ever listed in this file: who loses a tail of its own forgets what it had noticed. */
const listed = new Set<string>()
const told: Told[] = []

const list = ({ lost_tails, contradictions }: Report): void => {
  for (const { entries } of lost_tails)
    for (const { facts } of entries) for (const name in facts) listed.add(`${name}:${facts[name]}`)
  for (const order of contradictions) listed.add(`order:${order}`)
}

/** Is something of this order listed: of itself, of its user, or of an item in it? */
const isListed = async (order: string): Promise<boolean> => {
  if (listed.has(`order:${order}`)) return true
  const { user_id, items } = await opened().client.order(order)
  return [`user:${user_id}`, ...items.map(([item]) => `item:${item}`)].some((name) => listed.has(name))
}

/** What a service lists of a victim's loss since then. */
const listedBy = async (service: Service, victim: Service, since: number): Promise<LostTail | undefined> =>
  (await reportOf(service)).lost_tails.find(
    ({ speaker, noticed }) => speaker === victim && Date.parse(noticed) >= since,
  )

/**
 * What each service that must notice it lists of a victim's loss since then. One that was frozen may never have read what is lost:
 * then the victim's own process has noticed. @throws unless all of them have noticed
 */
const noticed = ({ victims, frozen }: Loss, since: number): Promise<(readonly [service: Service, LostTail])[]> =>
  Promise.all(
    victims.flatMap((victim) =>
      NOTICED_BY[victim].map(async (service) => {
        const lost = await listedBy(service, victim, since)
        if (lost !== undefined) return [service, lost] as const
        const own = service === frozen ? await listedBy(victim, victim, since) : undefined
        assert.ok(own, `${service} has not noticed what ${victim} lost`)
        return [victim, own] as const
      }),
    ),
  )

/** What is listed is named in the log of whoever lists it, too. */
const assertLogged = async (service: Service, { entries }: LostTail): Promise<void> => {
  const log = await opened().shop.part(`${service}-1`).tail(TAIL_LINES)
  const named = new Set([...log.matchAll(/"entry":\{"id":"(\d+-\d+)"/g)].map(([, id]) => id))
  const [first] = entries.filter(({ id }) => !named.has(id))
  assert.ok(first === undefined, `${first?.id} is not in the log of ${service}`)
}

const survive = async (t: ExecutionContext, loss: Loss): Promise<void> => {
  const { victims, cut, frozen } = loss
  t.timeout(90_000)
  const { client, shop } = opened()
  const redis = victims.map((victim) => shop.part(`${victim}-redis`))
  const pids = Object.values(shop.services).flatMap((replicas) => replicas.map(({ pid }) => pid))
  const wanted = await seedOrders(client, ORDERS)
  const writing = await startWriting(client, victims)
  const moments = await Promise.all(redis.map(({ dir }) => writtenTo(dir)))
  if (cut === 'three seconds ago') await away(AGO_MS)
  const crowd = startCrowd(client, wanted)
  // A test that fails leaves nobody behind who would disturb the next one.
  t.teardown(() => Promise.allSettled([writing.stop(), crowd.wronglyAnswered]))
  await crowd.served(KILL_AFTER)
  if (frozen) {
    opened().shop.part(`${frozen}-1`).freeze()
    await away(FROZEN_MS)
  }
  const cutOf = (index: number): Cut => {
    if (typeof cut === 'number') return { share: cut }
    return { position: cut === 'nothing' ? Number.POSITIVE_INFINITY : (moments[index] ?? 0) }
  }
  const lost: Lost[] = []
  const mend = await strike(
    'lose-tail',
    redis.map((part, index) => ({ part, cut: () => cutOf(index), lost: (one) => lost.push(one) })),
  )
  const since = Date.now()
  await mend()
  if (frozen) opened().shop.part(`${frozen}-1`).thaw()
  const returnedAt = performance.now()

  const losses = cut === 'nothing' ? [] : await eventually(() => noticed(loss, since), SETTLE_MS)
  const noticedMs = Math.round(performance.now() - returnedAt)
  for (const [service, lost] of losses) {
    await eventually(() => assertLogged(service, lost), SETTLE_MS)
    t.log(`${lost.speaker}: ${lost.entries.length} entries listed by name, unnamed until ${lost.unnamed_until}`)
  }
  const wronglyAnswered = await crowd.wronglyAnswered
  told.push(...crowd.told)
  const writes = await writing.stop()
  const settledMs = Math.round(await settle(opened(), { settleMs: SETTLE_MS, locksMs: 'unchecked' }))
  const reports = await Promise.all(SERVICES.map(reportOf))
  for (const report of reports) list(report)

  const kept = await inParallel(writes.length, 16, async (index) => (await writes[index]?.isKept()) ?? false)
  const missing = writes.filter((_, index) => !kept[index]).map(({ name }) => name)
  const anomalies = await findAnomalies(opened(), { lossy: true, told, locksMs: 'unchecked' })
  t.log(
    `${lost.map(({ transactions }) => transactions.length)} transactions lost of ${victims}; noticed after ${noticedMs} ms, ` +
      `settled ${settledMs} ms after the last answer; ${missing.length} of ${writes.length} things and ` +
      `${wronglyAnswered.length} of ${ORDERS} orders are not as told`,
  )
  t.deepEqual(
    missing.filter((name) => !listed.has(name)),
    [],
    'what is missing is listed',
  )
  const unexplained: Awaited<typeof crowd.wronglyAnswered>[number][] = []
  for (const one of wronglyAnswered) if (!(await isListed(one.order))) unexplained.push(one)
  t.deepEqual(unexplained, [], 'who was told otherwise than is due has an order of which something was lost')
  t.deepEqual(anomalies.filter(({ about }) => !listed.has(about)).map(describe), [])
  t.deepEqual(
    Object.values(shop.services).flatMap((replicas) => replicas.map(({ pid }) => pid)),
    pids,
    'no service had to be restarted',
  )
  if (cut !== 'nothing') return
  t.deepEqual(missing, [])
  t.deepEqual(
    reports.flatMap(({ lost_tails, contradictions }) => [...lost_tails, ...contradictions]),
    [],
  )
}

const titleOf = ({ victims, cut, frozen }: Loss): string => {
  const what = typeof cut === 'number' ? `has lost ${cut * 100} %` : `is as of ${cut}`
  return `the Redis of ${victims.join(' and ')} ${what}${frozen ? `, while ${frozen} is frozen` : ''}`
}

test.serial('every Redis was killed and no file is damaged: nothing is lost, and nothing is listed', (t) =>
  survive(t, { victims: SERVICES, cut: 'nothing' }),
)

const THRIFTY: readonly Loss[] = [
  { victims: ['ids'], cut: 0.5 },
  { victims: ['stock'], cut: 0.05 },
  { victims: ['payment'], cut: 'three seconds ago' },
  { victims: ['order'], cut: 0.5 },
]
const MATRIX: readonly Loss[] = [
  ...SERVICES.map((service) => [service]),
  ...(['payment', 'stock', 'ids'] as const).map((service): Service[] => ['order', service]),
  ['payment', 'stock'] as const,
].flatMap((victims) => ([0.05, 'three seconds ago', 0.5] as const).map((cut): Loss => ({ victims, cut })))
const STANDING: readonly Loss[] = (['order', 'payment', 'stock'] as const).flatMap((victim) =>
  (['order', 'payment', 'stock'] as const).map((frozen): Loss => ({ victims: [victim], cut: 0.05, frozen })),
)

for (const loss of FULL ? [...MATRIX, ...STANDING] : THRIFTY) test.serial(titleOf(loss), (t) => survive(t, loss))
