/**
 * Faults of the network: connections that break before or after the command ran, bytes that vanish for a while, that come
 * late or in crumbs, that come twice. Every connection of the shop goes through a proxy.
 *
 * Checkouts have 4 s here, so that some meet their deadline within the fault, and some of its answers must be a cancellation.
 * What lasts a minute mostly waits: such faults are in shops of their own, several at once, after all others.
 */
import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import { away, eventually } from '../support/eventually.ts'
import { daily, FULL } from '../support/faults/daily.ts'
import { type Fabric, type Fault, type Link, openFabric } from '../support/faults/proxy.ts'
import { survive } from '../support/faults/survive.ts'
import { answerIfAny, openClient } from '../support/shop/client.ts'
import { type OpenShop, openShop, shareShop } from '../support/shop/shop.ts'

const DEADLINE_MS = 4_000
/** What an answer may take beyond its deadline: a Redis that does not answer is given up within this time. */
const UNAVAILABLE_MS = 2_000
/**
 * Where order hears of nothing, a request for another order of the same user waits for its turn until its deadline, and may then
 * find its own order begun just now by another request, for whose end it waits.
 */
const JOINED_MS = DEADLINE_MS
/** A replica that is unresponsive is given up after this time, and another is asked. */
const UNRESPONSIVE_MS = 3_000
/** Within this time from the mending the readers have caught up. */
const CAUGHT_UP_MS = 10_000
/** A lock that arrived late at one master, behind a black hole, stands there until its TTL of 3 s ends. */
const LATE_LOCKS_MS = 4_000

const OPTIONS = { replicas: { order: 2 }, env: { order: { CHECKOUT_DEADLINE_MS: String(DEADLINE_MS) } } }

const fabric = openFabric()
// Healed before whatever is down is brought back through it.
test.serial.afterEach.always(() => fabric.heal())
const opened = shareShop(test, { ...OPTIONS, route: fabric.route })
// Once the shop has ended: it gives its leases back through the fabric.
test.serial.after.always(fabric.close)

/** A place in the network: links, and which of their connections. */
type Place = { readonly links: (fabric: Fabric) => readonly Link[]; readonly only?: RegExp }

const READS = /xread/i
const LOCKS = /lock:/

const own = (service: string): Place => ({
  links: (fabric) => fabric.links(new RegExp(`^${service}-\\d`), `${service}-redis`),
})

const PLACES = {
  'order and its own Redis': own('order'),
  'payment and its own Redis': own('payment'),
  'stock and its own Redis': own('stock'),
  'order and the outcomes it subscribes to': { links: (fabric) => fabric.links(/^order-\d/, 'order-redis') },
  'the readers of payment and the logs': { links: (fabric) => fabric.links(/^payment-\d/, /-redis$/), only: READS },
  'the readers of stock and the logs': { links: (fabric) => fabric.links(/^stock-\d/, /-redis$/), only: READS },
  'the readers of order and the logs': { links: (fabric) => fabric.links(/^order-\d/, /-redis$/), only: READS },
  'order and one lock master': { links: (fabric) => fabric.links(/^order-\d/, 'stock-redis'), only: LOCKS },
  'order and two lock masters': {
    links: (fabric) => fabric.links(/^order-\d/, /^(payment|stock)-redis$/),
    only: LOCKS,
  },
  'the gateway and one replica of order': { links: (fabric) => fabric.links('gateway', 'order-1') },
  'the gateway and payment': { links: (fabric) => fabric.links('gateway', 'payment-1') },
} as const satisfies Record<string, Place>
type PlaceName = keyof typeof PLACES

const at = (place: PlaceName): Place => PLACES[place]

const suffer = (fabric: Fabric, place: PlaceName, fault: Fault): void => {
  const { links, only } = at(place)
  for (const link of links(fabric)) link.suffer(only ? { ...fault, only } : fault)
}

const struckAt = (fabric: Fabric, place: PlaceName): number =>
  at(place)
    .links(fabric)
    .reduce((sum, link) => sum + link.struck(), 0)

const ORDERS = FULL ? 200 : 100
const BREAKS_TIMES = FULL ? 8 : 3

const SUBSCRIPTION = 'order and the outcomes it subscribes to'
/** What is said only while a connection is being made, so that it must break before, too. */
const SUBSCRIBES = /\r\nsubscribe\r\n/i

const commandAt = (place: PlaceName): RegExp => {
  if (place === SUBSCRIPTION) return SUBSCRIBES
  return place.startsWith('the gateway') ? /POST \/orders\/checkout|POST \/payment\/add_funds/ : /evalsha|xread/
}

/** Connections that break, again and again, at a command of the place. */
const breaks = (does: 'cut-before' | 'lose-reply', place: PlaceName, short: boolean): void => {
  if (!FULL && !short) return
  const command = commandAt(place)
  const when = does === 'cut-before' ? 'before' : 'after'
  test.serial(`survives breaks ${when} what is asked between ${place}`, async (t) => {
    t.timeout(80_000)
    await survive(t, opened(), {
      orders: ORDERS,
      disturb: async () => {
        suffer(fabric, place, { does, command, times: BREAKS_TIMES })
        await eventually(async () => {
          if (command === SUBSCRIBES) for (const link of at(place).links(fabric)) link.cut()
          assert.ok(struckAt(fabric, place) >= BREAKS_TIMES)
        }, CAUGHT_UP_MS)
        fabric.heal()
      },
      answerMs: DEADLINE_MS + UNAVAILABLE_MS,
      expectations: { locksMs: LATE_LOCKS_MS },
    })
  })
}

/** A fault of links that ends by itself after a while. */
type Lasting = { readonly name: string; readonly fault: Fault; readonly forMs: number }

const holes = (seconds: number): readonly [Lasting, Lasting] => {
  const lasting = (name: string, towards: 'both' | 'client'): Lasting => ({
    name: `${name} for ${seconds} s`,
    fault: { does: 'black-hole', towards },
    forMs: seconds * 1_000,
  })
  return [lasting('a black hole both ways', 'both'), lasting('lost replies', 'client')]
}
const [hole, lostReplies] = holes(5)
const delay = (ms: number): Lasting => ({
  name: `a delay of ${ms} ms each way`,
  fault: { does: 'delay', ms },
  forMs: 3_000,
})
const trickle: Lasting = { name: 'a trickle', fault: { does: 'trickle', bytes: 512, everyMs: 5 }, forMs: 3_000 }
const twice: Lasting = { name: 'everything sent twice', fault: { does: 'duplicate' }, forMs: 1_500 }
const refused: Lasting = { name: 'refused connections for 3 s', fault: { does: 'refuse' }, forMs: 3_000 }

/** A fault that lasts for a while, then ends by itself. */
const outlast = async (
  t: ExecutionContext,
  { fabric, opened }: { readonly fabric: Fabric; readonly opened: OpenShop },
  { fault, forMs }: Lasting,
  place: PlaceName,
): Promise<void> => {
  const isUnresponsive = place.startsWith('the gateway')
  const mayJoin = place === 'the readers of order and the logs'
  await survive(t, opened, {
    orders: ORDERS,
    disturb: async () => {
      suffer(fabric, place, fault)
      await away(forMs)
      t.true(struckAt(fabric, place) > 0, 'the fault met nobody')
      fabric.heal()
    },
    endedMs: CAUGHT_UP_MS,
    answerMs: DEADLINE_MS + UNAVAILABLE_MS + (isUnresponsive ? UNRESPONSIVE_MS : 0) + (mayJoin ? JOINED_MS : 0),
    expectations: { locksMs: LATE_LOCKS_MS, settleMs: CAUGHT_UP_MS },
  })
}

const lasts = (lasting: Lasting, place: PlaceName, short: boolean): void => {
  if (!FULL && !short) return
  test.serial(`survives ${lasting.name} between ${place}`, async (t) => {
    t.timeout(90_000)
    await outlast(t, { fabric, opened: opened() }, lasting, place)
  })
}

/** A minute goes by in so many shops at once. */
const SHOPS = 4
const waiting: (() => void)[] = []
let busy = 0

const lastsLong = (lasting: Lasting, place: PlaceName): void => {
  if (!FULL) return
  test(`survives ${lasting.name} between ${place}`, async (t) => {
    if (busy < SHOPS) busy += 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    // Torn down from the last to the first: the shop, the fabric it ends through, its turn.
    t.teardown(() => {
      const next = waiting.shift()
      if (next) next()
      else busy -= 1
    })
    t.timeout(180_000)
    const fabric = openFabric()
    t.teardown(fabric.close)
    await outlast(t, { fabric, opened: await openShop(t, { ...OPTIONS, route: fabric.route }) }, lasting, place)
  })
}

const BROKEN_SHORT = daily<PlaceName>(['order and its own Redis', 'the readers of payment and the logs'], 1)
const SHORT = daily<readonly [Lasting, PlaceName]>(
  [
    [lostReplies, 'order and its own Redis'],
    [hole, 'the gateway and one replica of order'],
    [delay(500), 'order and two lock masters'],
    [twice, 'payment and its own Redis'],
  ],
  2,
)
const isShort = (lasting: Lasting, place: PlaceName): boolean =>
  SHORT.some(([one, where]) => one.name === lasting.name && where === place)

for (const place of Object.keys(PLACES) as PlaceName[]) {
  breaks('lose-reply', place, BROKEN_SHORT.includes(place))
  breaks('cut-before', place, false)
  // Its links are those of order's own Redis, which suffer the rest there.
  if (place === SUBSCRIPTION) continue
  for (const lasting of [hole, lostReplies, delay(50), delay(500), trickle, refused])
    lasts(lasting, place, isShort(lasting, place))
  // What a request does that bears no key is done twice if it is sent twice: nobody sends it twice.
  if (!place.startsWith('the gateway')) lasts(twice, place, isShort(twice, place))
  for (const lasting of holes(60)) lastsLong(lasting, place)
}

test.serial('serves a client whose bytes come in crumbs, and others meanwhile as ever', async (t) => {
  const { client, shop } = opened()
  const slow = openClient(await fabric.route({ from: 'customer', to: 'gateway', url: shop.url }))
  t.teardown(slow.close)
  fabric.link('customer', 'gateway').suffer({ does: 'trickle', bytes: 8, everyMs: 25 })
  const { user, order } = await client.createCart({ credit: 10, price: 1 })
  const checkout = answerIfAny(slow.checkout(order))
  const disturb = async () => t.is((await checkout)?.status, 200)
  await survive(t, opened(), { orders: 50, disturb, answerMs: DEADLINE_MS })
  t.is(await client.credit(user), 9)
})
