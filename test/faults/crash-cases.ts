/**
 * What is one crash, and how is it survived?
 *
 * An *act* is something customers or operators do; the first four are checkouts by their outcome, the last three are what time
 * and losses bring (see `crash-acts.ts`). A *case* is a named point that the act passes (see `shared/process/step.ts`), at its n-th
 * passing, and a *fault* that hits its process there: kill -9; a freeze of two lock TTLs; a reply that is lost after its
 * effect; kill -9 together with the loss of the tail of the process's own Redis. What died is started again at once. Then the
 * customer, who repeats what was not answered, must get the answer that is due, and the shop come to rest, within `SETTLE_MS`
 * of the return; and all invariants hold.
 */

import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { nanoid } from 'nanoid'
import { type Part, PartError } from '../../env/local/managed-process.ts'
import type { RedisPart } from '../../env/local/parts.ts'
import { LOCK_MASTERS, SERVICES, type Service } from '../../shared/contract/services.ts'
import { logKey, readable } from '../../shared/log/entry.ts'
import type { Armed } from '../../shared/process/crash-points.ts'
import { LINKS, locksLeft, settle, violations } from '../support/checker/invariants.ts'
import { away, eventually } from '../support/eventually.ts'
import { type FaultName, strike } from '../support/faults/catalogue.ts'
import { instruct, listening, recorded, whenHit } from '../support/faults/crash-points.ts'
import { type Cut, transactionsOf, writtenTo } from '../support/faults/older-redis.ts'
import { type Due, insist, type TimedTold } from '../support/load/customers.ts'
import { behind } from '../support/shop/behind.ts'
import { type OpenShop, open } from '../support/shop/shop.ts'
import {
  amend,
  ask,
  contradict,
  hold,
  lastSurvey,
  loseSince,
  queue,
  resolve,
  scrape,
  submit,
  survey,
  TIMEOUT_MS,
  tell,
} from './crash-acts.ts'

export const OUTCOMES = ['paid', 'out-of-credit', 'out-of-stock', 'cancelled'] as const
const ACTS = [
  ...OUTCOMES,
  'submitting',
  'shopping',
  'amending',
  'operating',
  'locking',
  'queueing',
  'telling',
  'starting',
  'stopping',
  'surveying',
  'resolving',
  'upholding',
] as const
export type Act = (typeof ACTS)[number]
/** The faults of the catalogue that hit a process at a point, or its Redis then. */
export const FAULTS = ['kill', 'freeze', 'lose-reply', 'lose-tail'] as const satisfies readonly FaultName[]
export type Fault = (typeof FAULTS)[number]

export type Case = { readonly point: string; readonly nth: number; readonly fault: Fault; readonly act: Act }

export const nameOf = ({ point, nth, fault, act }: Case): string => `${point}/${nth}/${fault}/${act}`

/** Within this time from the return every checkout is settled. */
export const SETTLE_MS = 5_000
/** Short, so that a freeze of two is not too long; yet it is longer than a lease lasts, too. */
const LOCK_TTL_MS = 1_250
const FREEZE_MS = 2 * LOCK_TTL_MS
const SHORT_DEADLINE_MS = 1_000
/** The log parser, which passes the rarest points, runs every 5 s. */
const HIT_MS = 12_000
/** A survey may be begun each time an eighth of it has passed, here when the log parser is asked to run. */
const SURVEYED_RETENTION_MS = 64_000
const SURVEY_PAUSE_MS = SURVEYED_RETENTION_MS / 8
const NEVER = '0 0 0 1 1 *'
/** A shop with surveys takes no case after this, or its log is trimmed before the checker has read all of it. */
const WORN_MS = 25_000

/** Which shop a case wants: with a deadline that is met or not, whose Redis may forget or not, with surveys or without. */
export type Kind = { readonly isLate: boolean; readonly isLossy: boolean; readonly isSurveyed: boolean }
export const kindOf = ({ act, fault }: Pick<Case, 'act' | 'fault'>): Kind => ({
  isLate: act === 'cancelled',
  isLossy: fault === 'lose-tail' || act === 'resolving' || act === 'upholding',
  isSurveyed: act === 'surveying',
})

/** A shop in which cases are run one after the other, with all that its customers were ever told. */
export type Scene = {
  readonly kind: Kind
  readonly opened: OpenShop
  readonly told: TimedTold[]
  /** Behind the shop's back. */
  readonly orders: Redis
  /** Is the shop too old for another case? */
  readonly isWorn: () => boolean
  readonly close: () => Promise<void>
}

export const openScene = async (kind: Kind): Promise<Scene> => {
  const opened = await open({
    env: {
      all: listening,
      order: {
        LOCK_TTL_MS: String(LOCK_TTL_MS),
        ORDER_EXPIRY_HOURS: '1',
        ...(kind.isLate ? { CHECKOUT_DEADLINE_MS: String(SHORT_DEADLINE_MS) } : {}),
        ...(kind.isSurveyed ? { LOG_RETENTION_MS: String(SURVEYED_RETENTION_MS), LOG_PARSER_CRON: NEVER } : {}),
      },
    },
  })
  const openedAt = performance.now()
  const orders = new Redis(opened.shop.part('order-redis').url, { maxRetriesPerRequest: 0, retryStrategy: () => 50 })
  orders.on('error', (error: Error) => error)
  const close = async (): Promise<void> => {
    orders.disconnect()
    for (const part of opened.shop.parts) part.thaw()
    await opened.close()
  }
  const isWorn = (): boolean => kind.isSurveyed && performance.now() - openedAt > WORN_MS
  return { kind, opened, told: [], orders, isWorn, close }
}

/** The part that passes a point: its first word names it. */
const ownerOf = (point: string): Service | 'gateway' => {
  const [first = ''] = point.split('.')
  return SERVICES.find((service) => service === first) ?? 'gateway'
}

const partOf = ({ opened }: Scene, owner: Service | 'gateway'): Part =>
  owner === 'gateway' ? opened.shop.part('gateway') : opened.shop.part(`${owner}-1`)

const ownRedis = ({ opened }: Scene, owner: Service | 'gateway'): RedisPart | undefined =>
  owner === 'gateway' ? undefined : opened.shop.part(`${owner}-redis`)

const PRICE = 2
const QUANTITY = 2
const ENOUGH = { credit: 10, pieces: 5 }

/** Another customer orders by form. */
const orderByForm = async ({ opened }: Pick<Scene, 'opened'>): Promise<void> => {
  const { json } = await ask(opened, 'POST', '/payment/create_user')
  const { user_id } = json as { user_id: string }
  await ask(opened, 'POST', `/payment/add_funds/${user_id}/5`)
  await ask(opened, 'POST', '/api/orders', { user_id, value: 5, installment: 1, method: 'credit_card' })
}

type Wanted = { readonly user: string; readonly item: string; readonly order: string }

/** Whatever a customer does before the checkout, and a shopkeeper. */
const goShopping = async ({ opened }: Scene, { credit, pieces } = ENOUGH): Promise<Wanted> => {
  const made = async (path: string, name: string): Promise<string> => {
    const { json } = await ask(opened, 'POST', path)
    return (json as Record<string, string>)[name] ?? ''
  }
  const user = await made('/payment/create_user', 'user_id')
  const item = await made(`/stock/item/create/${PRICE + 1}`, 'item_id')
  await ask(opened, 'PATCH', `/stock/item/${item}`, { price: PRICE }, { 'If-Match': '*' })
  await ask(opened, 'POST', `/payment/add_funds/${user}/${credit + 1}`)
  await ask(opened, 'POST', `/payment/pay/${user}/1`)
  await ask(opened, 'POST', `/stock/add/${item}/${pieces + 1}`)
  await ask(opened, 'POST', `/stock/subtract/${item}/1`)
  const order = await made(`/orders/create/${user}`, 'order_id')
  await ask(opened, 'POST', `/orders/addItem/${order}/${item}/${QUANTITY}`)
  await ask(opened, 'GET', '/ids/create')
  await ask(opened, 'GET', `/orders/find/${order}`)
  await ask(opened, 'POST', '/orders', { user_id: user, lines: [{ item_id: item, quantity: QUANTITY }] })
  await ask(opened, 'GET', `/orders/${order}`)
  await ask(opened, 'PATCH', `/orders/${order}`, { quantity: QUANTITY + 1 }, { 'If-Match': '*' })
  await ask(opened, 'PATCH', `/orders/${order}`, { quantity: QUANTITY }, { 'If-Match': '*' })
  await ask(opened, 'GET', `/orders?user=${user}`)
  await ask(opened, 'GET', `/stock/find/${item}`)
  await ask(opened, 'GET', `/payment/find_user/${user}`)
  return { user, item, order }
}

/** Somebody buys two pieces, and gives one of them back. */
const refundPiece = async (scene: Scene, { order, item }: Wanted): Promise<void> => {
  const { opened, told } = scene
  await insist(opened.client, order, told)
  const path = `/orders/${order}/refunds`
  const { headers } = await ask(opened, 'POST', path, { lines: [{ item_id: item, quantity: 1 }], reason: 'broken' })
  await ask(opened, 'GET', path)
  if (typeof headers.location === 'string') await ask(opened, 'GET', headers.location)
}

/** Somebody has bought two pieces; then wants a third one, and then one only. */
const prepareAmendments = async (scene: Scene): Promise<() => Promise<void>> => {
  const { opened, told } = scene
  const { order, item } = await goShopping(scene)
  await insist(opened.client, order, told)
  return async () => {
    for (const quantity of [QUANTITY + 1, QUANTITY - 1]) await amend(opened, order, item, quantity)
  }
}

/** What there is for each outcome, and what the customer must be told in the end: one who was cancelled comes again. */
const OF_OUTCOME: Readonly<Record<(typeof OUTCOMES)[number], typeof ENOUGH & { due: Due }>> = {
  paid: { ...ENOUGH, due: 200 },
  'out-of-credit': { credit: 3, pieces: 5, due: 402 },
  'out-of-stock': { credit: 10, pieces: 1, due: 409 },
  cancelled: { ...ENOUGH, due: 200 },
}

/** How a customer's visit ended. */
type Visit = Wanted & { readonly due: Due; readonly status: number }
/** A visit that is prepared: to be begun when the point is armed. */
type Play = () => Promise<Visit>

const checkout = async ({ opened, told }: Scene, wanted: Wanted, due: Due): Promise<Visit> => ({
  ...wanted,
  due,
  status: await insist(opened.client, wanted.order, told),
})

const sagaOf = async ({ orders }: Scene, order: string): Promise<string> =>
  (await orders.hget(`order:${order}`, 'saga')) ?? ''

const RECENT = 100

/** Resolves when a checkout of the order has been cancelled; it may be open again by then. */
const whenCancelled = ({ orders }: Scene, order: string): Promise<void> =>
  eventually(async () => {
    const recent = await orders.xrevrange(logKey('order'), '+', '-', 'COUNT', RECENT)
    const said = recent.map(readable).filter(({ facts }) => facts.order === order)
    assert.ok(
      said.some(({ kind }) => kind === 'CheckoutCancelled'),
      `order ${order} was not cancelled`,
    )
  }, TIMEOUT_MS)

const PREFIXES = ['orders', 'payment', 'stock', 'ids'] as const

/** Helps a checkout on that a peer holds up, who does not answer meanwhile. @returns its log id. */
const helpOn = async (scene: Scene, order: string, held: Service): Promise<string> => {
  const { opened } = scene
  const saga = await eventually(async () => {
    const found = await sagaOf(scene, order)
    assert.notEqual(found, '')
    return found
  }, TIMEOUT_MS)
  const asked = held === 'payment' ? (['orders'] as const) : (['orders', 'payment'] as const)
  for (const prefix of asked) {
    await ask(opened, 'POST', `/${prefix}/fault_tolerance`)
    await ask(opened, 'POST', `/${prefix}/retry/${saga}`)
  }
  return saga
}

/** Everything else that operators may ask, about a checkout. */
const operate = async ({ opened }: Scene, order: string, saga: string): Promise<void> => {
  await ask(opened, 'GET', `/orders/checkouts/${order}`)
  for (const prefix of PREFIXES) {
    for (const path of ['log_count', `log/${saga}`, 'logs', 'sorted_logs/1', `saga/${saga}`, 'dead_letters', 'audit'])
      await ask(opened, 'GET', `/${prefix}/${path}`)
    await ask(opened, 'GET', `/${prefix}/audit/cut`)
    await ask(opened, 'GET', `/${prefix}/audit/sagas?at=1-1&log_ids=${saga}`)
    await ask(opened, 'GET', `/${prefix}/audit/records?log_ids=${saga}`)
    await ask(opened, 'POST', `/${prefix}/fault_tolerance`)
    await ask(opened, 'POST', `/${prefix}/retry/${saga}`)
  }
  for (const kind of ['invoices', 'credit-notes']) await ask(opened, 'GET', `/payment/${kind}?order=${order}`)
  await ask(opened, 'GET', '/payment/invoices/I1-1')
  for (const method of ['GET', 'POST']) await ask(opened, method, '/payment/series')
  await ask(opened, 'GET', '/audit')
  await scrape(opened)
  await ask(opened, 'POST', '/orders/batch_init/1/1/1/1')
  await ask(opened, 'POST', '/payment/batch_init/1/1')
  await ask(opened, 'POST', '/stock/batch_init/1/1/1')
  await ask(opened, 'POST', `/orders/cancel/${saga}`)
  for (const on of [false, true]) await ask(opened, 'PUT', '/orders/features/listOrders', { on })
}

/** An order is placed, and asked for once more when its invoice is drafted. */
const placeTwice = async ({ opened }: Scene, { user, item }: Wanted): Promise<void> => {
  const again = { 'Idempotency-Key': nanoid() }
  const wanted = { user_id: user, lines: [{ item_id: item, quantity: QUANTITY }] }
  for (let turn = 0; turn < 2; turn += 1) await ask(opened, 'POST', '/orders', wanted, again)
}

const AGE_ORDER = "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'at', 1, 'version', 1) end"

/** An order is cancelled, and another one is left alone until it expires. */
const endOrders = async (scene: Scene): Promise<void> => {
  const { opened, orders } = scene
  const dropped = await goShopping(scene)
  await ask(opened, 'POST', `/orders/${dropped.order}/cancel`)
  const left = await goShopping(scene)
  await placeTwice(scene, left)
  // As if it were made long ago. The Redis may be away for a moment, or have come back without it.
  await eventually(async () => {
    await orders.eval(AGE_ORDER, 1, `order:${left.order}`)
  }, TIMEOUT_MS)
  await ask(opened, 'POST', '/orders/fault_tolerance')
}

/** Prepares what is done when something was lost, or in the course of time; each time a customer comes as well. */
const prepareRare = async (scene: Scene, act: 'surveying' | 'resolving' | 'upholding'): Promise<Play> => {
  const { opened, told, orders } = scene
  const { order: own, payment } = opened.shop.redis
  if (act === 'surveying') {
    const wanted = await goShopping(scene)
    await away(SURVEY_PAUSE_MS)
    return async () => {
      const last = await lastSurvey(orders)
      const visit = await checkout(scene, wanted, 200)
      await survey(opened, orders, last)
      return visit
    }
  }
  if (act === 'upholding') {
    const wanted = await goShopping(scene)
    // There before both Redis forget: nobody could give a customer back that no service but stock has heard of.
    const refunded = await goShopping(scene)
    const amends = await prepareAmendments(scene)
    return async () => {
      const position = await writtenTo(own.dir)
      await insist(opened.client, wanted.order, told)
      await refundPiece(scene, refunded)
      await amends()
      await loseSince(own, position)
      return checkout(scene, wanted, 200)
    }
  }
  const position = await writtenTo(payment.dir)
  const paid = [(await goShopping(scene)).order, (await goShopping(scene)).order]
  for (const order of paid) await insist(opened.client, order, told)
  await settle(opened, { locksMs: 'unchecked' })
  const contradicted = await contradict(opened, paid, position)
  const wanted = await goShopping(scene)
  return async () => {
    await resolve(opened, contradicted)
    return checkout(scene, wanted, 200)
  }
}

/** Prepares an act: whatever comes before the point is armed. */
const prepare = async (scene: Scene, act: Act, owner: Service | 'gateway'): Promise<Play> => {
  const { opened } = scene
  if (act === 'surveying' || act === 'resolving' || act === 'upholding') return prepareRare(scene, act)
  if (act === 'shopping') {
    // Of an item that stock has forgotten nothing can be given back: that is for a person to see to.
    const refunded = await goShopping(scene)
    return async () => {
      const visit = await checkout(scene, await goShopping(scene), 200)
      // A Redis that came back older may not know the order yet.
      await ask(opened, 'POST', `/orders/checkout/${visit.order}`)
      await refundPiece(scene, refunded)
      await orderByForm(scene)
      return visit
    }
  }
  if (act === 'amending') {
    const amends = await prepareAmendments(scene)
    const wanted = await goShopping(scene)
    return async () => {
      await amends()
      return checkout(scene, wanted, 200)
    }
  }
  if (act === 'submitting') {
    const wanted = await goShopping(scene)
    return async () => {
      await submit(opened, wanted.order)
      return checkout(scene, wanted, 200)
    }
  }
  if (act === 'locking' || act === 'queueing') {
    const wanted = await goShopping(scene)
    const play = act === 'locking' ? () => hold(opened) : await queue(opened)
    return async () => {
      const visit = checkout(scene, wanted, 200)
      visit.catch(() => undefined)
      await play()
      return visit
    }
  }
  if (act === 'telling') {
    const wanted = await goShopping(scene)
    return async () => {
      await tell(opened)
      return checkout(scene, wanted, 200)
    }
  }
  if (act === 'stopping' || act === 'starting') {
    const wanted = await goShopping(scene)
    return () => checkout(scene, wanted, 200)
  }
  if (act === 'operating') {
    const wanted = await goShopping(scene)
    return async () => {
      const held = owner === 'stock' ? 'payment' : 'stock'
      opened.shop.part(`${held}-1`).freeze()
      const visit = checkout(scene, wanted, 200)
      visit.catch(() => undefined)
      const saga = await helpOn(scene, wanted.order, held)
      opened.shop.part(`${held}-1`).thaw()
      await operate(scene, wanted.order, saga)
      await endOrders(scene)
      return visit
    }
  }
  const { due, ...means } = OF_OUTCOME[act]
  const wanted = await goShopping(scene, means)
  if (act !== 'cancelled') return () => checkout(scene, wanted, due)
  const held = opened.shop.part(`${owner === 'stock' ? 'payment' : 'stock'}-1`)
  return async () => {
    held.freeze()
    const visit = checkout(scene, wanted, due)
    visit.catch(() => undefined)
    await whenCancelled(scene, wanted.order)
    held.thaw()
    return visit
  }
}

/** What is cut off the end of a file: the last transaction, the last three, or all since the point was armed. */
const cutOf = async ({ dir }: RedisPart, armedAt: number, depth: number): Promise<Cut> => {
  const last = (await transactionsOf(dir)).at([-1, -3, 0][depth] ?? 0)?.from ?? armedAt
  return { position: depth === 2 ? armedAt : Math.max(last, armedAt) }
}

const restart = (part: Part): Promise<void> => eventually(() => part.start(), TIMEOUT_MS)

/** Lets the fault happen to a part that has hit its point, and brings back whatever it took. */
const suffer = async (scene: Scene, one: Case, armedAt: number): Promise<void> => {
  const owner = ownerOf(one.point)
  const part = partOf(scene, owner)
  switch (one.fault) {
    case 'kill':
      await part.exited
      return
    case 'freeze':
      await away(FREEZE_MS)
      part.thaw()
      return
    case 'lose-reply':
      return
    case 'lose-tail': {
      const redis = ownRedis(scene, owner)
      assert.ok(redis, `${owner} has no Redis`)
      await part.exited
      const mend = await strike('lose-tail', [
        { part: redis, cut: () => cutOf(redis, armedAt, nameOf(one).length % 3) },
      ])
      await mend()
    }
  }
}

export type Survival = {
  /** How long after the return the customer knew and the shop was at rest. */
  readonly ms: number
  readonly problems: readonly string[]
}

const startWith = async (part: Part, armed: readonly Armed[], record = false): Promise<void> => {
  const starting = part.start()
  part.say({ type: 'crash-points', record, armed })
  try {
    await starting
  } catch (error) {
    if (!(error instanceof PartError)) throw error
  }
}

/**
 * Has a part end in order and start again, until it holds its leases: the successor of one that was killed finds them taken
 * for a while, and would have none to give back.
 */
const renewLeases = async ({ opened }: Scene, part: Part, owner: Service | 'gateway'): Promise<void> => {
  await part.stop()
  await restart(part)
  const wanted = LINKS.filter(({ subscriber }) => subscriber === owner).length
  await eventually(
    async () => assert.equal((await locksLeft(opened, [`lock:reader:${owner}:*`])).length, wanted),
    TIMEOUT_MS,
  )
}

/** A service asks a peer whether it is there only while another process has the lease of reading it: so somebody has it. */
const PROBES = /\.probe-(order|payment|stock)\./
const OTHERS_LEASE_MS = 4_000
const lendLeases = async ({ opened }: Scene, owner: Service | 'gateway'): Promise<void> => {
  const keys = LINKS.filter(({ subscriber }) => subscriber === owner).map(
    ({ publisher }) => `lock:reader:${owner}:${publisher}`,
  )
  const hold = (redis: Redis) => Promise.all(keys.map((key) => redis.set(key, 'somebody', 'PX', OTHERS_LEASE_MS)))
  await Promise.all(LOCK_MASTERS.map((master) => behind(opened.shop.part(`${master}-redis`), hold)))
}

/** Runs one case in a shop at rest, and leaves it at rest. */
export const survive = async (scene: Scene, one: Case): Promise<Survival> => {
  const { opened, told } = scene
  const owner = ownerOf(one.point)
  const part = partOf(scene, owner)
  const redis = ownRedis(scene, owner)
  const armed: Armed = { ...one, fault: one.fault === 'lose-tail' ? 'kill' : one.fault }
  const play = await prepare(scene, one.act, owner)
  if (one.act === 'stopping') await renewLeases(scene, part, owner)
  await settle(opened, { locksMs: 'unchecked' })
  const armedAt = redis ? await writtenTo(redis.dir) : 0

  const hit = whenHit(part, armed, HIT_MS)
  hit.catch(() => undefined)
  if (one.act === 'starting') {
    await part.stop()
    if (PROBES.test(one.point)) await lendLeases(scene, owner)
    void startWith(part, [armed])
  } else {
    await instruct(part, { record: false, armed: [armed] })
    if (one.act === 'stopping') void part.stop()
  }
  const visit = play()
  visit.catch(() => undefined)
  await hit
  await suffer(scene, one, armedAt)
  const returnedAt = performance.now()
  if (one.act === 'stopping') await part.exited
  await restart(part)
  const { status, due, user, order } = await visit
  await settle(opened, { locksMs: 'unchecked' })
  const ms = performance.now() - returnedAt

  const { isLossy } = scene.kind
  const isCertain = one.fault !== 'lose-tail'
  const problems = [...(await violations(opened, { told, lossy: isLossy, locksMs: 'unchecked' }))]
  if (status !== due && isCertain) problems.push(`order ${order} was told ${status} in the end, but ${due} is due`)
  if (isCertain && due === 200) {
    const credit = await opened.client.credit(user)
    if (credit !== ENOUGH.credit - PRICE * QUANTITY) problems.push(`user ${user} has ${credit} left`)
  }
  return { ms, problems }
}

/** Which points each act passes, and how often, as recorded in a run of it. */
export type Passings = ReadonlyMap<Act, ReadonlyMap<string, number>>

export const recordActs = async (): Promise<Passings> => {
  const passings = new Map<Act, Map<string, number>>()
  const note = (act: Act, passed: ReadonlyMap<string, number>): void => {
    const known = passings.get(act) ?? new Map<string, number>()
    for (const [point, count] of passed) known.set(point, Math.max(known.get(point) ?? 0, count))
    passings.set(act, known)
  }
  const owners = [...SERVICES, 'gateway'] as const
  const run = async (scene: Scene, act: Act, owner: Service | 'gateway'): Promise<void> => {
    const parts = owners.map((one) => partOf(scene, one))
    const play = await prepare(scene, act, owner)
    const passed = await recorded(parts, async () => {
      await play()
      await settle(scene.opened, { locksMs: 'unchecked' })
    })
    // Of an act in which another part is held back for the sake of stock, only stock's points count.
    for (const point of passed.keys()) if (owner === 'stock' && ownerOf(point) !== 'stock') passed.delete(point)
    note(act, passed)
  }
  const inScene = async (kind: Partial<Kind>, work: (scene: Scene) => Promise<void>): Promise<void> => {
    const scene = await openScene({ isLate: false, isLossy: false, isSurveyed: false, ...kind })
    try {
      await work(scene)
    } finally {
      await scene.close()
    }
  }
  await inScene({}, async (scene) => {
    for (const act of [
      'paid',
      'out-of-credit',
      'out-of-stock',
      'submitting',
      'shopping',
      'amending',
      'operating',
      'locking',
      'queueing',
      'telling',
    ] as const)
      await run(scene, act, 'order')
    for (const owner of owners) {
      const part = partOf(scene, owner)
      note('stopping', await recorded([part], () => part.stop()))
      note(
        'starting',
        await recorded([part], async (passed) => {
          await startWith(part, [], true)
          const last = owner === 'gateway' ? `${owner}.poll-order.after` : `${owner}.parser.release.after`
          await eventually(async () => assert.ok(passed.has(last), last), HIT_MS)
        }),
      )
    }
    // Last, for they leave contradictions behind.
    for (const act of ['resolving', 'upholding'] as const) await run(scene, act, 'order')
  })
  await Promise.all([
    inScene({ isLate: true }, async (scene) => {
      await run(scene, 'cancelled', 'order')
      await run(scene, 'cancelled', 'stock')
    }),
    inScene({ isSurveyed: true }, (scene) => run(scene, 'surveying', 'order')),
  ])
  return passings
}

/** What is done by the clock, so that a checkout meets it by chance only. */
const BY_THE_CLOCK = /^\w+\.(parser\.|reader-|unfinished|trim|time|heard|dead-|contradict|lost-tails)/

/** What is done when a service starts or stops, and else only when the machine was slow. */
const AT_ENDS =
  /\.(reader-[a-z]+\.(lock|release)|ask-ids|follow-newest|lease-block|rebase-locks|durable|subscribe|memory|probe-(order|payment|stock))\./

/** What is done again and again for as long as a service lives, whatever it does besides: tried in one act only. */
const EVER_AGAIN =
  /\.(reader-[a-z]+\.extend|probe|probe-locks|features|poll-[a-z]+|report-[a-z]+|clock|follow|tick-locks|oldest-submitted|(parser\.)?late)\./

/** What comes to nothing unless time has passed. */
const IN_TIME = /\.begin-survey\./

/** All cases: each point with each fault, in each outcome in which it is passed, or else in the first other act. */
export const casesOf = (passings: Passings): readonly Case[] => {
  const points = new Set([...passings.values()].flatMap((passed) => [...passed.keys()]))
  const actsOf = (point: string): readonly Act[] => {
    if (EVER_AGAIN.test(point)) return ['shopping']
    if (PROBES.test(point)) return ['starting']
    if (IN_TIME.test(point)) return ['surveying']
    const passing = ACTS.filter((act) => passings.get(act)?.has(point))
    const outcomes = passing.filter((act) => OUTCOMES.some((outcome) => outcome === act))
    const atEnds = passing.filter((act) => act === 'stopping' || act === 'starting')
    if (atEnds.length > 0 && AT_ENDS.test(point)) return atEnds.slice(0, 1)
    const others = passing.filter((act) => !outcomes.includes(act)).slice(0, 1)
    return outcomes.length === 0 || (others.length > 0 && BY_THE_CLOCK.test(point)) ? others : outcomes
  }
  const faultsOf = (point: string): readonly Fault[] =>
    FAULTS.filter(
      (fault) =>
        !(fault === 'lose-reply' && point.endsWith('.before')) &&
        !(fault === 'lose-tail' && ownerOf(point) === 'gateway'),
    )
  return [...points]
    .sort()
    .flatMap((point) => actsOf(point).flatMap((act) => faultsOf(point).map((fault) => ({ point, nth: 1, fault, act }))))
}
