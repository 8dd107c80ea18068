/**
 * A whole shop, driven at random through its gateway, while its parts die, freeze and are cut off.
 *
 * What is done is a *history* (`history-plans.ts`). What clients are told must be explained by a world
 * (`possible-worlds.ts`): exactly while nothing is wrong, and by one of several while something is. At the end all faults are
 * healed, everything is read, and the checker proves the rest.
 */

import assert from 'node:assert/strict'
import type { Part } from '../../env/local/managed-process.ts'
import type { Armed } from '../../shared/process/crash-points.ts'
import { type History, isDone, openHistory, toldBy } from '../support/checker/history.ts'
import { settle, violations } from '../support/checker/invariants.ts'
import {
  type Action,
  type FormHas,
  isFinal,
  openWorlds,
  type Request,
  type State,
  showOrder,
  showOrders,
  type Told,
} from '../support/checker/possible-worlds.ts'
import { away, eventually } from '../support/eventually.ts'
import { strike } from '../support/faults/catalogue.ts'
import { instruct, whenHit } from '../support/faults/crash-points.ts'
import type { Fabric } from '../support/faults/proxy.ts'
import type { Shop as Seed } from '../support/schedule/steps.ts'
import { answerIfAny, type Client, type OrderShown, type Reply } from '../support/shop/client.ts'
import { bringBack, type OpenShop } from '../support/shop/shop.ts'
import type { Asking, Created, Fault, Step } from './history-plans.ts'

/** What histories have met: to see that they reach what they should. */
export type Tally = Record<
  | 'histories'
  | 'requests'
  | 'audits'
  | 'paid'
  | 'changed'
  | 'stale'
  | 'refunded'
  | 'cancelled'
  | 'refused'
  | 'not now'
  | 'unknown'
  | 'faults',
  number
>

/** So much may still come, at most, before all is healed. */
const OPEN_MAX = 5
const CLIENTS = ['ann', 'bob', 'eve', 'joe'] as const
/** How long a client waits for an answer; what comes later is no news to it. */
const TIMEOUT_MS = 4_000
/** How long a part may take to start before the history goes on without it. */
const START_MS = 5_000
const READY_MS = 20_000
const INSIST_MS = 20_000
const SETTLE_MS = 15_000
const LOCKS_MS = 5_000
/** Before a client asks again that was not answered. */
const PAUSE_MS = 100
/** Within this time somebody comes to a point at which a replica is to freeze. */
const HIT_MS = 10_000

const isRead = ({ does }: Request): boolean => does.startsWith('find-') || does === 'show-order'

const isCancellation = ({ does }: Request): boolean => does === 'cancel' || does === 'delete'

const JSON_TYPE = { 'Content-Type': 'application/json' }
type Sent = { readonly method: string; readonly headers?: Record<string, string>; readonly body?: string }
const methodOf = (request: Request, items: readonly string[]): Sent => {
  if (request.does === 'set-price') {
    const headers = { ...JSON_TYPE, 'If-Match': '*' }
    return { method: 'PATCH', headers, body: JSON.stringify({ price: request.price }) }
  }
  if (request.does === 'change') {
    const { item, quantity, from } = request
    const body = JSON.stringify({ lines: [{ item_id: items[item], quantity }] })
    return { method: 'PATCH', headers: { ...JSON_TYPE, 'If-Match': from === undefined ? '*' : `"${from}"` }, body }
  }
  if (request.does === 'checkout' && request.isSubmitted)
    return { method: 'POST', headers: { Prefer: 'respond-async' } }
  if (request.does === 'delete') return { method: 'DELETE' }
  if (request.does !== 'refund') return { method: isRead(request) ? 'GET' : 'POST' }
  const { item, quantity } = request
  const lines = item === undefined ? {} : { lines: [{ item_id: items[item], quantity }] }
  return { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(lines) }
}

const stateOf = ({ credit, items, orders }: Seed): State => ({
  credit,
  stock: items.map(({ stock }) => stock),
  prices: items.map(({ price }) => price),
  orders: orders.map(({ user, quantities }) => {
    const costs = quantities.map((quantity, item) => quantity * (items[item]?.price ?? 0))
    return { user, paid: false, total: costs.reduce((sum, cost) => sum + cost, 0), quantities, costs, returned: [] }
  }),
  due: [],
})

type CheckoutShown = { readonly log_id: string; readonly state: string; readonly reason: string | null }
/** What a client is told of a checkout that has ended so and for this reason, if it waits for that. */
const ENDS: Readonly<Record<string, readonly [status: number, problem: string]>> = {
  'paid null': [200, ''],
  'refused out-of-credit': [402, 'out-of-credit'],
  'refused out-of-stock': [409, 'out-of-stock'],
  'cancelled deadline': [424, 'checkout-cancelled'],
  'cancelled customer': [409, 'order-cancelled'],
}

/** An order as it is shown once it is placed. */
type Placed = {
  readonly total_cost: number
  readonly lines: readonly { readonly item_id: string; readonly quantity: number; readonly cost: number }[]
}
type Creation = {
  readonly path: string
  readonly body?: string
  readonly name: string
  readonly key: string
  made: boolean
  /** Takes what was made, as it was told in the answer. */
  readonly take: (id: string, told: unknown) => void
}

const NAMES: Readonly<Record<Created, string>> = {
  user: 'user_id',
  item: 'item_id',
  order: 'order_id',
  'placed-order': 'order_id',
  'form-order': 'id',
}

const isMaybe = ({ status }: FormHas): boolean => status === 'MAYBE' || status === 'NEVER'
const withForm = (state: State, form: number, become: (form: FormHas) => FormHas): State => ({
  ...state,
  forms: (state.forms ?? []).map((one, index) => (index === form ? become(one) : one)),
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
  /** Of each order, the version that was seen last; and those that were placed by form, as far as they were told. */
  const versions = new Map<number, string>()
  const forms: (string | undefined)[] = []
  /** The actions that bore a key. */
  const keyed = new Map<number, Action>()
  /** What was created, or may have been, each under a key of its own. */
  const creations: Creation[] = []
  const unanswered: Promise<unknown>[] = []
  const worlds = openWorlds(stateOf(seed))
  let disturbed = false

  /** Which of the things there are a request means. */
  const settled = (request: Request): Request => {
    const fit = { ...request } as { user?: number; item?: number; order?: number; form?: number }
    if (fit.user !== undefined) fit.user %= users.length
    if (fit.item !== undefined) fit.item %= items.length
    if (fit.order !== undefined) fit.order %= orders.length
    if (fit.form !== undefined) fit.form %= Math.max(forms.length, 1)
    if (request.does === 'change') return { ...(fit as typeof request), from: versions.get(fit.order ?? 0) }
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
      case 'refund':
        return `/orders/${orders[request.order]}/refunds`
      case 'set-price':
        return `/stock/item/${items[request.item]}`
      case 'cancel':
        return `/orders/${orders[request.order]}/cancel`
      case 'delete':
      case 'change':
      case 'show-order':
        return `/orders/${orders[request.order]}`
      case 'find-form':
        return `/api/order/${forms[request.form]}`
      case 'find-order':
        return `/orders/find/${orders[request.order]}`
      case 'find-orders':
        return `/orders?user=${users[request.user]}`
    }
  }

  const ofItems = ({ paid, status, total_cost: total, items: lines }: OrderShown): string => {
    const quantities = items.map((name) => lines.find(([item]) => item === name)?.[1] ?? 0)
    const cancelled = status === 'cancelled' ? 'now' : undefined
    return showOrder({ paid, cancelled, total, quantities }, items.length)
  }

  /** The orders that are known of: of one that was made there may not have been an answer yet. */
  const ofOrders = (page: {
    readonly total: number
    readonly orders: readonly (OrderShown & { number: number })[]
  }) => {
    const numbers = page.orders.map(({ number }) => number)
    assert.equal(page.total, numbers.length, 'the whole list has another length than it says')
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].toSorted((a, b) => b - a),
      'the newest come first',
    )
    const known = page.orders.map((order) => [orders.indexOf(order.order_id), ofItems(order)] as const)
    return showOrders(known.filter(([order]) => order !== -1))
  }

  /** The version that an answer names; it is the one that was seen last. */
  const versionIn = ({ headers }: Reply, order: number): string => {
    const version = String(headers.etag ?? '').replace(/["+]/g, '')
    if (version !== '') versions.set(order, version)
    return `@${version}`
  }

  const shown = (request: Request, reply: Reply): string => {
    const { status, json } = reply
    // Whether its invoice is drafted already is no matter of the order.
    if (request.does === 'change') return `204 ${versionIn(reply, request.order)}`
    if (request.does === 'show-order') return `${ofItems(json as OrderShown)} ${versionIn(reply, request.order)}`
    if (request.does === 'find-form') {
      const { status: state, value } = json as { status: string; value: string }
      return `200 ${state} ${value}`
    }
    if (request.does === 'find-user') return `200 ${(json as { credit: number }).credit}`
    if (request.does === 'find-item') {
      const { stock, price } = json as { stock: number; price: number }
      return `200 ${stock} ${price}`
    }
    if (request.does === 'find-orders') return ofOrders(json as Parameters<typeof ofOrders>[0])
    if (request.does === 'refund') return String(status)
    if (request.does === 'delete' && status === 204) return '204'
    if (request.does === 'cancel' || request.does === 'delete') {
      const { status: word, refunded } = json as { status: string; refunded: number }
      return status === 200 ? `200 ${refunded}` : `${status} ${word} ${refunded}`
    }
    return request.does === 'find-order' ? ofItems(json as OrderShown) : '200'
  }

  const answerIn = (request: Request, reply: Reply | undefined): string | undefined => {
    if (reply === undefined || toldBy(reply.status, reply.json) === 'unknown') return undefined
    if (isDone(reply.status)) return shown(request, reply)
    if (request.does === 'change' && reply.status === 412) return `412 stale ${versionIn(reply, request.order)}`
    return `${reply.status} ${String((reply.json as { type?: unknown } | undefined)?.type)
      .split(':')
      .at(-1)}`
  }

  const count = (request: Request, answer: string | undefined): void => {
    tally.requests += 1
    if (answer === undefined) tally.unknown += 1
    else if (request.does === 'checkout' && answer === '200') tally.paid += 1
    else if (request.does === 'change' && answer.startsWith('204')) tally.changed += 1
    else if (request.does === 'change' && answer.startsWith('412')) tally.stale += 1
    else if (request.does === 'refund' && answer.startsWith('20')) tally.refunded += 1
    else if (isCancellation(request) && answer.startsWith('20')) tally.cancelled += 1
    else if (request.does === 'checkout' && /^402|^409 out/.test(answer)) tally.refused += 1
    else if (!isFinal(answer)) tally['not now'] += 1
  }

  /**
   * Asks for a checkout that was submitted until it is decided: as the answer that its client had got, had it waited. What has become
   * of it once another one was begun, nobody is told.
   */
  const whenDecided = async (client: Client, order: number, first: Reply | undefined): Promise<Reply | undefined> => {
    if (first?.status !== 202) return first
    const { log_id } = first.json as CheckoutShown
    for (const endMs = performance.now() + TIMEOUT_MS; performance.now() < endMs; ) {
      const reply = await answerIfAny(client.get(`/orders/checkout/${orders[order]}`, { Prefer: 'wait=1' }))
      if (reply?.status !== 200) {
        await away(PAUSE_MS)
        continue
      }
      const found = reply.json as CheckoutShown
      if (found.log_id !== log_id) return undefined
      const end = ENDS[`${found.state} ${found.reason}`]
      if (end) return { ...reply, status: end[0], json: { type: `urn:shop:problem:${end[1]}` } }
    }
    return undefined
  }

  /** Asks once, and waits as long as a client does. */
  const askOnce = async (turn: number, action: number, request: Request): Promise<Told> => {
    const key = keyed.has(action) ? { 'Idempotency-Key': `${orders[0]}-${action}` } : {}
    const { method, headers = {}, body } = methodOf(request, items)
    const client = clientOf(turn)
    const sent = answerIfAny(client.request(method, pathOf(request), { ...headers, ...key }, body))
    const isSubmitted = request.does === 'checkout' && request.isSubmitted === true
    const reply = isSubmitted ? sent.then((first) => whenDecided(client, request.order, first)) : sent
    unanswered.push(reply)
    const answer = answerIn(request, await Promise.race([reply, away(TIMEOUT_MS).then(() => undefined)]))
    count(request, answer)
    return { action, request, answer }
  }

  const take = (told: readonly Told[]): void => {
    if (!disturbed)
      for (const { request, answer } of told)
        if (answer === undefined)
          throw new Error(`${JSON.stringify(request)} was not answered, though nothing was wrong`)
    worlds.learn(told, disturbed)
  }

  /** Which action is asked for; none if it is to be asked again and there is none, or it is being asked for already. */
  const actionOf = (one: Asking, taken: Set<number>): readonly [action: number, Request] | undefined => {
    if ('again' in one) {
      const [action, request] = keyed.size === 0 ? [-1] : at([...keyed], one.again)
      if (request === undefined || taken.has(action)) return undefined
      taken.add(action)
      return [action, request]
    }
    const fit = settled(one.request)
    if (fit.does === 'find-form' && forms[fit.form] === undefined) return undefined
    const action = turns.next++
    // A cancellation is safe to repeat without a key, and is answered as things stand then.
    if (one.keyed && !isRead(fit) && !isCancellation(fit)) keyed.set(action, fit as Action)
    taken.add(action)
    return [action, fit]
  }

  const ask = async (atOnce: readonly Asking[]): Promise<void> => {
    const taken = new Set<number>()
    const actions = atOnce.map((one) => actionOf(one, taken)).filter((one) => one !== undefined)
    const asked = Promise.all(actions.map(([action, request], turn) => askOnce(turn, action, request)))
    const [told] = await Promise.all([asked, audit()])
    take(told)
  }

  /** The accounts of the whole shop balance at any moment, whatever is under way. */
  const audit = async (): Promise<void> => {
    const reply = answerIfAny(opened.client.get('/audit'))
    unanswered.push(reply)
    const told = await Promise.race([reply, away(TIMEOUT_MS).then(() => undefined)])
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
    const [action, request] = at([...keyed], index)
    take([await askOnce(index, action, request)])
  }

  /** Asks for a creation, the first time or again; what comes of it is the checker's, if it is not the first answer. */
  const creating = async (one: (typeof creations)[number]): Promise<void> => {
    const { path, key, body } = one
    const headers = { 'Idempotency-Key': key, ...(body === undefined ? {} : JSON_TYPE) }
    const reply = answerIfAny(clientOf(0).request('POST', path, headers, body))
    unanswered.push(reply)
    const answer = await Promise.race([reply, away(TIMEOUT_MS).then(() => undefined)])
    const isMade = answer !== undefined && isDone(answer.status)
    if (isMade && !one.made) {
      one.made = true
      one.take((answer.json as Record<string, string>)[one.name] ?? '', answer.json)
    }
    if (!isMade && !disturbed)
      throw new Error(`${one.path} was answered ${answer?.status} ${answer?.text}, though nothing was wrong`)
  }

  const create = async (what: Created, number: number): Promise<void> => {
    const user = number % users.length
    const form = forms.length
    const lines = [number, number + 1].map((item, index) => ({ item_id: at(items, item), quantity: index + 1 }))
    const rows: Record<Created, Pick<Creation, 'path' | 'body' | 'take'>> = {
      user: {
        path: '/payment/create_user',
        take: (id: string) => {
          users.push(id)
          worlds.change((state) => ({ ...state, credit: [...state.credit, 0] }))
        },
      },
      item: {
        path: `/stock/item/create/${number}`,
        take: (id: string) => {
          items.push(id)
          worlds.change((state) => ({ ...state, stock: [...state.stock, 0], prices: [...state.prices, number] }))
        },
      },
      order: {
        path: `/orders/create/${users[user]}`,
        take: (id: string) => {
          orders.push(id)
          const empty = { user, paid: false, total: 0, quantities: [], costs: [], returned: [] }
          worlds.change((state) => ({ ...state, orders: [...state.orders, empty] }))
        },
      },
      // Of one that is placed by form, and not answered, its money is gone nevertheless.
      'form-order': {
        path: '/api/orders',
        body: JSON.stringify({ user_id: users[user], value: number + 1, installment: 1, method: 'cash' }),
        take: (id) => {
          forms[form] = id
          worlds.change((state) =>
            withForm(state, form, (one) => (isMaybe(one) ? { ...one, status: 'PROCESSING' } : one)),
          )
        },
      },
      'placed-order': {
        path: '/orders',
        body: JSON.stringify({ user_id: users[user], lines }),
        take: (id, told) => {
          orders.push(id)
          // What an item costs may be unknown at the moment; that it did cost so is the checker's.
          const { total_cost: total, lines: placed } = told as Placed
          const lineOf = items.map((name) => placed.find(({ item_id }) => item_id === name))
          const quantities = lineOf.map((line) => line?.quantity ?? 0)
          const costs = lineOf.map((line) => line?.cost ?? 0)
          const order = { user, paid: false, total, quantities, costs, returned: [] }
          worlds.change((state) => ({ ...state, orders: [...state.orders, order] }))
        },
      },
    }
    if (what === 'form-order') {
      forms.push(undefined)
      const placed: FormHas = { user, total: number + 1, status: 'MAYBE', isTaken: false, isExcused: false }
      worlds.change((state) => ({ ...state, forms: [...(state.forms ?? []), placed] }))
    }
    const key = `${orders[0]}-new-${creations.length}`
    const one: Creation = { ...rows[what], name: NAMES[what], key, made: false }
    creations.push(one)
    await creating(one)
  }

  const createAgain = async (which: number): Promise<void> => {
    if (creations.length > 0) await creating(at(creations, which))
  }

  const replicasOf = (point: string): Part[] =>
    [1, 2]
      .map((number) => opened.shop.part(`${point.split('.')[0]}-${number}`))
      .filter((part) => part.state === 'up' && !asleep.has(part))

  /** Who is frozen. */
  const asleep = new Set<Part>()
  const tell = (parts: readonly Part[], armed: readonly Armed[]): Promise<unknown> =>
    Promise.all(parts.map((part) => instruct(part, { record: false, armed })))

  /** Whichever replica comes to the point first freezes there; the others are told that it has. */
  const freezeAt = async (point: string): Promise<void> => {
    const armed: Armed = { point, nth: 1, fault: 'freeze' }
    const parts = replicasOf(point)
    await tell(parts, [armed])
    const others = (part: Part): Part[] => replicasOf(point).filter((other) => other !== part)
    for (const part of parts)
      void whenHit(part, armed, HIT_MS).then(
        () => {
          asleep.add(part)
          return tell(others(part), [])
        },
        // Nobody has come there in time: it is disarmed when all is healed.
        () => undefined,
      )
  }

  const wake = (): void => {
    for (const part of asleep) part.thaw()
    asleep.clear()
  }

  const suffer = async (fault: Fault): Promise<void> => {
    tally.faults += 1
    disturbed = true
    if ('point' in fault) return freezeAt(fault.point)
    if ('link' in fault) {
      const [from, to] = fault.link
      await strike(fault.suffers, [{ part: opened.shop.part(to), links: () => [fabric.link(from, to)] }])
      return
    }
    const part = opened.shop.part(fault.part)
    if (part.state !== 'up') return
    if (fault.suffers === 'freeze') asleep.add(part)
    const mend = await strike(fault.suffers, [{ part }])
    if (!fault.atOnce) return
    // What another fault keeps from being ready is ready once all is healed, which waits for it.
    const starting = mend()
    starting.catch(() => undefined)
    await Promise.race([starting, away(START_MS)])
  }

  /**
   * Was it told that its order takes no lines, because that is paid, or pays nothing back, because nothing is under way? Neither
   * passes.
   */
  const isTooLate = async ({ request, answer }: Told): Promise<boolean> => {
    if ((request.does === 'add-item' || request.does === 'change') && answer === '409 order-not-open')
      return (await opened.client.order(at(orders, request.order))).paid
    if (request.does === 'refund' && answer === '409 order-not-paid')
      return ['open', 'expired', 'cancelled'].includes((await opened.client.order(at(orders, request.order))).status)
    return false
  }

  /** Asks under its key for an action whose outcome is unknown, until it is known. */
  const insist = (action: number, request: Action): Promise<Told> =>
    eventually(async () => {
      const told = await askOnce(action, action, request)
      assert.ok(isFinal(told.answer) || (await isTooLate(told)), `${JSON.stringify(request)}: ${told.answer}`)
      return told
    }, INSIST_MS)

  /** Waits until every replica answers for its Redis, and the gateway knows it. */
  const ready = (): Promise<void> =>
    eventually(async () => {
      const looks = {
        payment: `/payment/find_user/${users[0]}`,
        stock: `/stock/find/${items[0]}`,
        order: `/orders/find/${orders[0]}`,
      }
      const urls = Object.entries(looks).flatMap(([service, path]) =>
        opened.shop.parts
          .filter(({ name }) => name.startsWith(service) && !name.endsWith('-redis'))
          .map(({ url }) => `${url}${path}`),
      )
      const replies = await Promise.all(['/ready', ...urls].map((url) => answerIfAny(opened.client.get(url))))
      for (const reply of replies) assert.equal(reply?.status, 200, reply?.text)
    }, READY_MS)

  /** What is on its way comes to an end, though nothing is wrong. */
  const settleOpen = async (): Promise<void> => {
    await settle(opened, { settleMs: SETTLE_MS, locksMs: LOCKS_MS })
    worlds.rest()
  }

  const heal = async (): Promise<void> => {
    if (!disturbed) return worlds.open() > 0 ? settleOpen() : undefined
    fabric.heal()
    wake()
    await bringBack(opened)
    await tell([...replicasOf('order'), ...replicasOf('payment')], [])
    await ready()
    await Promise.all(unanswered.splice(0))
    for (const action of worlds.coming()) {
      const request = keyed.get(action)
      if (request) worlds.learn([await insist(action, request)], true)
    }
    await settleOpen()
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
      ...orders.map((_, order) => ({ does: 'show-order' as const, order })),
      ...forms.flatMap((id, form) => (id === undefined ? [] : { does: 'find-form' as const, form })),
    ]
    for (const request of all) take([await askOnce(0, turns.next++, request)])
  }

  tally.histories += 1
  try {
    await begin()
    for (const step of steps) {
      if (step.does === 'heal' || worlds.open() > OPEN_MAX) await heal()
      if (step.does === 'ask') await ask(step.atOnce)
      if (step.does === 'again') await again(step.action)
      if (step.does === 'create') await create(step.what, step.number)
      if (step.does === 'create-again') await createAgain(step.which)
      if (step.does === 'wake') wake()
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
