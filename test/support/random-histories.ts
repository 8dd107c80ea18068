/**
 * A whole shop, driven at random through its gateway, while its parts die, freeze and are cut off.
 *
 * A *history* is a list of steps: requests that are asked at once, a repetition under the same key, something new, a fault,
 * or the end of all faults. It is plain data, so that it is printed, repeated and shrunk as it stands. What clients are told
 * must be explained by a world (`possible-worlds.ts`): exactly while nothing is wrong, and by one of several while something
 * is. At the end all faults are healed, everything is read, and the checker proves the rest.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Part } from '../../env/part.ts'
import { answerIfAny, type Client, type OrderShown, type Reply } from './client.ts'
import { away, eventually } from './eventually.ts'
import { type History, openHistory, toldBy } from './history.ts'
import { settle, violations } from './invariants.ts'
import { type Deed, isFinal, openWorlds, type Request, type State, showOrder, type Told } from './possible-worlds.ts'
import type { Fabric } from './proxy.ts'
import { type Shop as Seed, shops } from './schedule.ts'
import { bringBack, type OpenShop } from './shop.ts'

const PARTS = [
  'ids-1',
  'order-1',
  'payment-1',
  'stock-1',
  'gateway',
  'ids-redis',
  'order-redis',
  'payment-redis',
  'stock-redis',
] as const
const LINKS = [
  ['gateway', 'order-1'],
  ['gateway', 'payment-1'],
  ['order-1', 'order-redis'],
  ['order-1', 'payment-redis'],
  ['payment-1', 'payment-redis'],
  ['payment-1', 'order-redis'],
  ['payment-1', 'stock-redis'],
  ['stock-1', 'stock-redis'],
  ['stock-1', 'payment-redis'],
] as const

export type Fault =
  /** Down, or frozen, until all is healed; or killed, or told to end, and started again at once. */
  | { readonly part: (typeof PARTS)[number]; readonly suffers: 'kill' | 'freeze' | 'kill-and-start' | 'restart' }
  /** Cut once; or the reply to the next deed is lost with its connection; or nothing arrives until all is healed. */
  | { readonly link: (typeof LINKS)[number]; readonly suffers: 'cut' | 'lost-reply' | 'black-hole' }

/** One request; a deed may bear an Idempotency-Key of its own. */
export type Asking = { readonly request: Request; readonly keyed: boolean }
export type Step =
  | { readonly does: 'ask'; readonly atOnce: readonly Asking[] }
  /** Asks for an earlier deed that bore a key once more, under that key. */
  | { readonly does: 'again'; readonly deed: number }
  | { readonly does: 'create'; readonly what: 'user' | 'item' | 'order'; readonly number: number }
  | { readonly does: 'suffer'; readonly fault: Fault }
  | { readonly does: 'heal' }

const AT_ONCE_MAX = 4
const COMING_MAX = 5
const small = (max: number, min = 0): fc.Arbitrary<number> => fc.integer({ min, max })
const any = small(5)

const requests: fc.Arbitrary<Request> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ does: fc.constant('checkout' as const), order: any }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constantFrom('add-funds' as const, 'pay' as const),
      user: any,
      amount: small(6, 1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constantFrom('add' as const, 'subtract' as const),
      item: any,
      amount: small(3, 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('add-item' as const), order: any, item: any, quantity: small(2, 1) }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('find-user' as const), user: any }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('find-item' as const), item: any }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('find-order' as const), order: any }) },
)
const askings = fc.record({ request: requests, keyed: fc.boolean() })
const asks = fc.record({
  does: fc.constant('ask' as const),
  atOnce: fc.array(askings, { minLength: 1, maxLength: AT_ONCE_MAX }),
})
const agains = fc.record({ does: fc.constant('again' as const), deed: small(20) })
const creates = fc.record({
  does: fc.constant('create' as const),
  what: fc.constantFrom('user' as const, 'item' as const, 'order' as const),
  number: small(4),
})
const faults: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    part: fc.constantFrom(...PARTS),
    suffers: fc.constantFrom('kill' as const, 'freeze' as const, 'kill-and-start' as const, 'restart' as const),
  }),
  fc.record({
    link: fc.constantFrom(...LINKS),
    suffers: fc.constantFrom('cut' as const, 'lost-reply' as const, 'black-hole' as const),
  }),
)
const suffers = fc.record({ does: fc.constant('suffer' as const), fault: faults })
const heals = fc.constant({ does: 'heal' as const })

const stepsOf = (rare: readonly { weight: number; arbitrary: fc.Arbitrary<Step> }[]): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: asks },
      { weight: 2, arbitrary: agains },
      { weight: 1, arbitrary: creates },
      ...rare,
    ),
    { minLength: 1, maxLength: 14, size: 'max' },
  )
/** What there is first, and what happens then. */
export const calmHistories = fc.tuple(shops, stepsOf([]))
export const stormyHistories = fc.tuple(
  shops,
  stepsOf([
    { weight: 3, arbitrary: suffers },
    { weight: 1, arbitrary: heals },
  ]),
)

/** What histories have met: to see that they reach what they should. */
export type Tally = Record<
  'histories' | 'requests' | 'audits' | 'paid' | 'refused' | 'not now' | 'unknown' | 'faults',
  number
>

const CLIENTS = ['ann', 'bob', 'eve', 'joe'] as const
/** How long a client waits for an answer; what comes later is no news to it. */
const PATIENCE_MS = 4_000
/** How long a part may take to start before the history goes on without it. */
const START_MS = 5_000
const READY_MS = 20_000
const INSIST_MS = 20_000
const SETTLE_MS = 15_000
const LOCKS_MS = 5_000
/** A deed of a service in its own Redis. */
const DEED = /evalsha/i

const isRead = ({ does }: Request): boolean => does.startsWith('find-')
const partOf = ({ shop }: OpenShop, name: string): Part => {
  const part = shop.parts.find((one) => one.name === name)
  if (part === undefined) throw new Error(`there is no ${name}`)
  return part
}

const stateOf = ({ credit, items, orders }: Seed): State => ({
  credit,
  stock: items.map(({ stock }) => stock),
  prices: items.map(({ price }) => price),
  orders: orders.map(({ user, quantities }) => ({
    user,
    paid: false,
    total: quantities.reduce((sum, quantity, item) => sum + quantity * (items[item]?.price ?? 0), 0),
    quantities,
  })),
})

/** Plays one history in a shop that may have seen others. @throws saying what contradicts the promises */
export const play = async (
  opened: OpenShop,
  fabric: Fabric,
  [seed, steps]: readonly [Seed, readonly Step[]],
  tally: Tally,
): Promise<void> => {
  const history: History = openHistory()
  const clients = CLIENTS.map((name) => history.client(opened.shop.url, name))
  const at = <Thing>(list: readonly Thing[], index: number): Thing => list[index % list.length] as Thing
  const turns = { next: 0 }
  const clientOf = (turn: number): Client => at(clients, turn)

  const users: string[] = []
  const items: string[] = []
  const orders: string[] = []
  /** The deeds that bore a key. */
  const keyed = new Map<number, Deed>()
  const unanswered: Promise<unknown>[] = []
  const worlds = openWorlds(stateOf(seed))
  let disturbed = false

  /** Which of the things there are a request means. */
  const settled = (request: Request): Request => {
    const fit = { ...request } as { user?: number; item?: number; order?: number }
    if (fit.user !== undefined) fit.user %= users.length
    if (fit.item !== undefined) fit.item %= items.length
    if (fit.order !== undefined) fit.order %= orders.length
    return fit as Request
  }

  const pathOf = (request: Request): string => {
    switch (request.does) {
      case 'add-funds':
      case 'pay':
        return `/payment/${request.does === 'pay' ? 'pay' : 'add_funds'}/${users[request.user]}/${request.amount}`
      case 'add':
      case 'subtract':
        return `/stock/${request.does}/${items[request.item]}/${request.amount}`
      case 'add-item':
        return `/orders/addItem/${orders[request.order]}/${items[request.item]}/${request.quantity}`
      case 'checkout':
        return `/orders/checkout/${orders[request.order]}`
      case 'find-user':
        return `/payment/find_user/${users[request.user]}`
      case 'find-item':
        return `/stock/find/${items[request.item]}`
      case 'find-order':
        return `/orders/find/${orders[request.order]}`
    }
  }

  const shown = (request: Request, { json }: Reply): string => {
    if (request.does === 'find-user') return `200 ${(json as { credit: number }).credit}`
    if (request.does === 'find-item') {
      const { stock, price } = json as { stock: number; price: number }
      return `200 ${stock} ${price}`
    }
    if (request.does !== 'find-order') return '200'
    const { paid, total_cost: total, items: lines } = json as OrderShown
    const quantities = items.map((name) => lines.find(([item]) => item === name)?.[1] ?? 0)
    return showOrder({ paid, total, quantities }, items.length)
  }

  const answerIn = (request: Request, reply: Reply | undefined): string | undefined => {
    if (reply === undefined || toldBy(reply.status, reply.json) === 'unknown') return undefined
    if (reply.status === 200) return shown(request, reply)
    return `${reply.status} ${String((reply.json as { type?: unknown } | undefined)?.type)
      .split(':')
      .at(-1)}`
  }

  const count = (request: Request, answer: string | undefined): void => {
    tally.requests += 1
    if (answer === undefined) tally.unknown += 1
    else if (request.does === 'checkout' && answer === '200') tally.paid += 1
    else if (request.does === 'checkout' && /^402|^409 out/.test(answer)) tally.refused += 1
    else if (!isFinal(answer)) tally['not now'] += 1
  }

  /** Asks once, and waits as long as a client does. */
  const askOnce = async (turn: number, deed: number, request: Request): Promise<Told> => {
    const headers: Record<string, string> = keyed.has(deed) ? { 'Idempotency-Key': `${orders[0]}-${deed}` } : {}
    const reply = answerIfAny(clientOf(turn).request(isRead(request) ? 'GET' : 'POST', pathOf(request), headers))
    unanswered.push(reply)
    const answer = answerIn(request, await Promise.race([reply, away(PATIENCE_MS).then(() => undefined)]))
    count(request, answer)
    return { deed, request, answer }
  }

  const take = (told: readonly Told[]): void => {
    if (!disturbed)
      for (const { request, answer } of told)
        if (answer === undefined)
          throw new Error(`${JSON.stringify(request)} was not answered, though nothing was wrong`)
    worlds.learn(told, disturbed)
  }

  const ask = async (atOnce: readonly Asking[]): Promise<void> => {
    const asked = Promise.all(
      atOnce.map(({ request, keyed: bearsKey }, turn) => {
        const deed = turns.next++
        const fit = settled(request)
        if (bearsKey && !isRead(fit)) keyed.set(deed, fit as Deed)
        return askOnce(turn, deed, fit)
      }),
    )
    const [told] = await Promise.all([asked, audit()])
    take(told)
  }

  /** The accounts of the whole shop balance at any moment, whatever is under way. */
  const audit = async (): Promise<void> => {
    const reply = answerIfAny(opened.client.get('/audit'))
    unanswered.push(reply)
    const told = await Promise.race([reply, away(PATIENCE_MS).then(() => undefined)])
    if (told?.status !== 200) {
      if (!disturbed) throw new Error(`the audit was answered ${told?.status} ${told?.text}, though nothing was wrong`)
      return
    }
    tally.audits += 1
    const { mismatches } = told.json as { mismatches: readonly unknown[] }
    if (mismatches.length > 0) throw new Error(`the audit found ${JSON.stringify(mismatches)}`)
  }

  const again = async (index: number): Promise<void> => {
    if (keyed.size === 0) return
    const [deed, request] = at([...keyed], index)
    take([await askOnce(index, deed, request)])
  }

  const created = async (path: string, name: string): Promise<string | undefined> => {
    const reply = answerIfAny(clientOf(0).post(path))
    unanswered.push(reply)
    const answer = await Promise.race([reply, away(PATIENCE_MS).then(() => undefined)])
    if (answer?.status === 200) return (answer.json as Record<string, string>)[name]
    if (!disturbed) throw new Error(`${path} was answered ${answer?.status} ${answer?.text}, though nothing was wrong`)
    return undefined
  }

  const create = async (what: 'user' | 'item' | 'order', number: number): Promise<void> => {
    if (what === 'user') {
      const user = await created('/payment/create_user', 'user_id')
      if (user === undefined) return
      users.push(user)
      worlds.change((state) => ({ ...state, credit: [...state.credit, 0] }))
    } else if (what === 'item') {
      const item = await created(`/stock/item/create/${number}`, 'item_id')
      if (item === undefined) return
      items.push(item)
      worlds.change((state) => ({ ...state, stock: [...state.stock, 0], prices: [...state.prices, number] }))
    } else {
      const user = number % users.length
      const order = await created(`/orders/create/${users[user]}`, 'order_id')
      if (order === undefined) return
      orders.push(order)
      const empty = { user, paid: false, total: 0, quantities: [] }
      worlds.change((state) => ({ ...state, orders: [...state.orders, empty] }))
    }
  }

  const suffer = async (fault: Fault): Promise<void> => {
    tally.faults += 1
    disturbed = true
    if ('link' in fault) {
      const [from, to] = fault.link
      const link = fabric.link(from, to)
      if (fault.suffers === 'cut') link.cut()
      else if (fault.suffers === 'lost-reply') link.suffer({ does: 'cut-after', command: DEED })
      else link.suffer({ does: 'black-hole', towards: 'both' })
      return
    }
    const part = partOf(opened, fault.part)
    if (part.state !== 'up') return
    if (fault.suffers === 'freeze') part.freeze()
    else if (fault.suffers === 'restart') await part.stop()
    else await part.kill()
    if (fault.suffers !== 'kill-and-start' && fault.suffers !== 'restart') return
    // What another fault keeps from being ready is ready once all is healed, which waits for it.
    const starting = part.start()
    starting.catch(() => undefined)
    await Promise.race([starting, away(START_MS)])
  }

  /** Was it told that its order takes no lines, because that is paid? Then this answer does not pass. */
  const isTooLate = async ({ request, answer }: Told): Promise<boolean> =>
    request.does === 'add-item' &&
    answer === '409 order-not-open' &&
    (await opened.client.order(at(orders, request.order))).paid

  /** Asks under its key for a deed whose outcome is unknown, until it is known. */
  const insist = (deed: number, request: Deed): Promise<Told> =>
    eventually(async () => {
      const told = await askOnce(deed, deed, request)
      assert.ok(isFinal(told.answer) || (await isTooLate(told)), `${JSON.stringify(request)}: ${told.answer}`)
      return told
    }, INSIST_MS)

  /** Waits until every service answers for its Redis, and the gateway knows it. */
  const ready = (): Promise<void> =>
    eventually(async () => {
      const paths = ['/ready', `/payment/find_user/${users[0]}`, `/stock/find/${items[0]}`, `/orders/find/${orders[0]}`]
      const replies = await Promise.all(paths.map((path) => answerIfAny(opened.client.get(path))))
      for (const reply of replies) assert.equal(reply?.status, 200, reply?.text)
    }, READY_MS)

  const heal = async (): Promise<void> => {
    if (!disturbed) return
    fabric.heal()
    await bringBack(opened)
    await ready()
    await Promise.all(unanswered.splice(0))
    for (const deed of worlds.coming()) {
      const request = keyed.get(deed)
      if (request) worlds.learn([await insist(deed, request)], true)
    }
    await settle(opened, { settleMs: SETTLE_MS, locksMs: LOCKS_MS })
    worlds.rest()
    // A cut that was the last fault may have been noticed only since.
    await ready()
    disturbed = false
  }

  const begin = async (): Promise<void> => {
    const [client] = clients as [Client]
    for (const credit of seed.credit) users.push(await client.createUser(credit))
    for (const { price, stock } of seed.items) items.push(await client.createItem(price, stock))
    for (const { user, quantities } of seed.orders) {
      const lines = quantities.map((quantity, item) => [items[item] ?? '', quantity] as const)
      orders.push(
        await client.createOrder(
          users[user] ?? '',
          lines.filter(([, quantity]) => quantity > 0),
        ),
      )
    }
  }

  const readAll = async (): Promise<void> => {
    const all: Request[] = [
      ...users.map((_, user) => ({ does: 'find-user' as const, user })),
      ...items.map((_, item) => ({ does: 'find-item' as const, item })),
      ...orders.map((_, order) => ({ does: 'find-order' as const, order })),
    ]
    for (const request of all) take([await askOnce(0, turns.next++, request)])
  }

  tally.histories += 1
  try {
    await begin()
    for (const step of steps) {
      if (step.does === 'heal' || worlds.open() > COMING_MAX) await heal()
      if (step.does === 'ask') await ask(step.atOnce)
      if (step.does === 'again') await again(step.deed)
      if (step.does === 'create') await create(step.what, step.number)
      if (step.does === 'suffer') await suffer(step.fault)
    }
    await heal()
    await readAll()
    await settle(opened, { settleMs: SETTLE_MS, locksMs: LOCKS_MS })
    const found = await violations(opened, { history: history.operations })
    if (found.length > 0) throw new Error(found.join('\n'))
  } finally {
    for (const client of clients) client.close()
  }
}
