/**
 * A replica freezes with a request in its hand, the gateway asks another, which refuses; something changes; the first one
 * wakes up. What was refused must not be done then, whatever it was refused for. No scene says itself what went wrong: the
 * checker finds it, by what the customer was told and when things were done.
 */

import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import { nanoid } from 'nanoid'
import type { Part } from '../../env/local/managed-process.ts'
import type { Service } from '../../shared/contract/services.ts'
import type { Armed } from '../../shared/process/crash-points.ts'
import { SLACK_MS } from '../support/checker/asked.ts'
import { openHistory } from '../support/checker/history.ts'
import { proveInvariants } from '../support/checker/invariants.ts'
import { away, eventually } from '../support/eventually.ts'
import { instruct, listening, whenHit } from '../support/faults/crash-points.ts'
import { daily } from '../support/faults/daily.ts'
import { type Client, type Reply, whenSaid } from '../support/shop/client.ts'
import { directTo, type OpenShop, openShop, shareShop } from '../support/shop/shop.ts'

const HIT_MS = 15_000
const TIMEOUT_MS = 15_000
/** What a woken process does of its own accord, it does in a fraction of this. */
const AWAKE_MS = 10_000
/** Longer than the clocks may differ, so that it shows for which request something was done. */
const APART_MS = 4 * SLACK_MS

const opened = shareShop(test, { replicas: { order: 2, payment: 2, stock: 2 }, env: { all: listening } })

type Frozen = {
  readonly part: Part
  /** The replica that will be asked instead, itself. */
  readonly other: Client
  /** What the customer is told. */
  readonly told: Promise<Reply>
}

type Scene = {
  readonly opened: OpenShop
  readonly client: Client
  /** Asks, and has whichever replica comes to the point first freeze there. */
  readonly freeze: (point: string, ask: () => Promise<Reply>) => Promise<Frozen>
  /** Wakes it, and waits until it has answered whoever is asking it. */
  readonly wake: (frozen: Frozen) => Promise<void>
  /** Freezes and thaws all replicas of a service. */
  readonly hold: (service: Service) => () => void
}

const openScene = (t: ExecutionContext, opened: OpenShop): Scene & { readonly prove: () => Promise<void> } => {
  const { shop } = opened
  const history = openHistory()
  const client = history.client(shop.url, 'ann')
  t.teardown(client.close)

  const freeze: Scene['freeze'] = async (point, ask) => {
    const replicas = shop.services[point.split('.')[0] as Service]
    const armed: Armed = { point, nth: 1, fault: 'freeze' }
    await Promise.all(replicas.map((part) => instruct(part, { record: false, armed: [armed] })))
    const hits = replicas.map((part) => whenHit(part, armed, HIT_MS).then(() => part))
    for (const hit of hits) hit.catch(() => undefined) // only one of them is
    const told = ask()
    told.catch(() => undefined)
    const part = await Promise.race(hits)
    const [other] = replicas.filter((one) => one !== part)
    assert.ok(other)
    await instruct(other, { record: false, armed: [] })
    const direct = history.client(other.url, 'bob')
    t.teardown(direct.close)
    return { part, other: direct, told }
  }

  const wake: Scene['wake'] = async ({ part }) => {
    part.thaw()
    const direct = directTo(t, part)
    await eventually(async () => assert.equal((await direct.get('/ready')).status, 200), AWAKE_MS)
  }

  const hold: Scene['hold'] = (service) => {
    for (const part of shop.services[service]) part.freeze()
    return () => {
      for (const part of shop.services[service]) part.thaw()
    }
  }
  const prove = async (): Promise<void> => {
    await proveInvariants(t, opened, { history: history.operations, locksMs: 'unchecked', settleMs: TIMEOUT_MS })
  }
  return { opened, client, freeze, wake, hold, prove }
}

const keyed = () => ({ 'Idempotency-Key': nanoid() })

type Told = readonly [frozen: Frozen, told: Reply]
type Row = {
  readonly what: string
  /** What the customer is told before the frozen one wakes. */
  readonly status: number
  /** Plays up to the waking. */
  readonly play: (scene: Scene) => Promise<Told>
}

/** Asks, has the replica freeze at the point, and changes something once the customer is told. */
const changed = async (
  { freeze }: Scene,
  point: string,
  ask: () => Promise<Reply>,
  change: () => Promise<unknown>,
): Promise<Told> => {
  const frozen = await freeze(point, ask)
  const told = await frozen.told
  await change()
  return [frozen, told]
}

const refusedForCredit =
  (point: string, key: () => Record<string, string>): Row['play'] =>
  async (scene) => {
    const { client } = scene
    const { user, order } = await client.createCart({ credit: 1 })
    const earns = () => client.post(`/payment/add_funds/${user}/9`)
    return changed(scene, point, () => client.checkout(order, key()), earns)
  }

const ROWS: readonly Row[] = [
  ...daily(['order.glance.after', 'order.lock.after', 'order.begin.before'], 1).map((point) => ({
    what: `a checkout at ${point} is refused for credit, and its customer earns money`,
    status: 402,
    play: refusedForCredit(point, () => ({})),
  })),
  {
    what: 'a checkout is refused under a key for credit, and its customer earns money',
    status: 402,
    play: refusedForCredit('order.begin.before', keyed),
  },
  {
    what: 'a checkout is refused for stock, and the shelf is filled',
    status: 409,
    play: async (scene) => {
      const { client } = scene
      const { item, order } = await client.createCart({ stock: 1, quantity: 2 })
      const fill = () => client.post(`/stock/add/${item}/5`)
      return changed(scene, 'order.begin.before', () => client.checkout(order), fill)
    },
  },
  {
    what: 'a checkout is refused because the order is empty, and a line is added',
    status: 409,
    play: async (scene) => {
      const { client } = scene
      const [user, item] = [await client.createUser(100), await client.createItem(5, 10)]
      const order = await client.createOrder(user)
      const add = () => client.post(`/orders/addItem/${order}/${item}/1`)
      return changed(scene, 'order.glance.before', () => client.checkout(order), add)
    },
  },
  {
    what: 'a line is refused under a key because the order is being checked out, and that fails',
    status: 409,
    play: async ({ client, freeze, hold }) => {
      const { item, order } = await client.createCart({ credit: 1 })
      const frozen = await freeze('order.add-item.before', () =>
        client.post(`/orders/addItem/${order}/${item}/1`, keyed()),
      )
      const release = hold('payment')
      const checkout = frozen.other.checkout(order)
      const told = await frozen.told
      release()
      assert.equal((await checkout).status, 402)
      return [frozen, told]
    },
  },
  {
    what: 'an order is not created under a key because payment is away, and it is asked for again',
    status: 424,
    play: async ({ client, freeze, wake, hold }) => {
      const [user, key] = [await client.createUser(1), keyed()]
      const create = () => client.post(`/orders/create/${user}`, key)
      const frozen = await freeze('order.create-order.before', create)
      const release = hold('payment')
      const told = await frozen.told
      release()
      await away(APART_MS)
      await wake(frozen)
      await away(APART_MS)
      await eventually(async () => assert.equal((await create()).status, 200), TIMEOUT_MS)
      return [frozen, told]
    },
  },
  {
    what: 'a payment is refused under a key because its money is held, and that comes free',
    status: 423,
    play: async (scene) => {
      const { client, hold } = scene
      const { user, order } = await client.createCart({ credit: 10, price: 8, stock: 1, quantity: 2 })
      await client.post(`/payment/add_funds/${user}/6`)
      const release = hold('stock')
      const checkout = client.checkout(order)
      await whenSaid(client, 'payment', 'CreditHeld', order)
      const pay = () => client.post(`/payment/pay/${user}/5`, keyed())
      return changed(scene, 'payment.pay.before', pay, async () => {
        release()
        assert.equal((await checkout).status, 409)
      })
    },
  },
  {
    what: 'a payment is refused under a key for credit, and its customer earns money',
    status: 402,
    play: async (scene) => {
      const { client } = scene
      const user = await client.createUser(1)
      const earns = () => client.post(`/payment/add_funds/${user}/9`)
      return changed(scene, 'payment.pay.before', () => client.post(`/payment/pay/${user}/5`, keyed()), earns)
    },
  },
  {
    what: 'goods are refused under a key, and the shelf is filled',
    status: 409,
    play: async (scene) => {
      const { client } = scene
      const item = await client.createItem(5, 1)
      const fill = () => client.post(`/stock/add/${item}/5`)
      return changed(scene, 'stock.subtract.before', () => client.post(`/stock/subtract/${item}/2`, keyed()), fill)
    },
  },
]

const playIn = async (t: ExecutionContext, opened: OpenShop, { status, play }: Row): Promise<void> => {
  t.timeout(90_000)
  const scene = openScene(t, opened)
  const [frozen, told] = await play(scene)
  t.is(told.status, status, told.text)
  await away(APART_MS)
  await scene.wake(frozen)
  await scene.prove()
}

for (const row of ROWS) test.serial(`nothing is done on waking: ${row.what}`, (t) => playIn(t, opened(), row))

/** Longer than its request may wait, so that whoever is asked instead finds the order locked to the end. */
const LOCKED = { CHECKOUT_DEADLINE_MS: '2000', LOCK_TTL_MS: '9000' }

const ALONE: readonly Row[] = [
  {
    what: 'a checkout finds its order locked to the end',
    status: 423,
    play: async ({ client, freeze }) => {
      const { order } = await client.createCart()
      const frozen = await freeze('order.begin.before', () => client.checkout(order))
      return [frozen, await frozen.told]
    },
  },
  {
    what: 'a checkout finds no quorum of lock masters, unless its outcome is told to be unknown',
    status: 502,
    play: async ({ opened: { shop }, client, freeze }) => {
      const { order } = await client.createCart()
      const frozen = await freeze('order.begin.before', () => client.checkout(order))
      const masters = [shop.part('payment-redis'), shop.part('stock-redis')]
      for (const master of masters) master.freeze()
      const told = await frozen.told
      for (const master of masters) master.thaw()
      return [frozen, told]
    },
  },
]

for (const row of ALONE)
  test.serial(`nothing is done on waking: ${row.what}`, async (t) => {
    const env = { all: listening, order: row.status === 423 ? LOCKED : {} }
    await playIn(t, await openShop(t, { replicas: { order: 2 }, env }), row)
  })
