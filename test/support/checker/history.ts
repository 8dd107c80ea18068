/**
 * What did clients ask, and what were they told?
 *
 * A recording client is a `Client` like any other; everything that it asks becomes an `Operation`: what, of which facts,
 * when it began and ended (monotonic, in milliseconds of this process), and what was told: *ok*; *refused*, which is a
 * promise that nothing was done nor will be by this request; or *unknown*, for whatever else may have become of it. All amounts are the
 * text that the logs have, too, so that the two can be compared. One history may have many clients.
 */
import { type Client, openClient, type Reply } from '../shop/client.ts'

export type Facts = Readonly<Record<string, string>>

export const DOES = [
  'create-user',
  'find-user',
  'add-funds',
  'pay',
  'create-item',
  'find-item',
  'add',
  'subtract',
  'set-price',
  'create-order',
  'place',
  'find-order',
  'find-orders',
  'add-item',
  'checkout',
  'refund',
  'cancel',
  'delete',
] as const
export type Does = (typeof DOES)[number]

export type Told = 'ok' | 'refused' | 'unknown'

export type Operation = {
  readonly client: string
  readonly does: Does
  /** What was asked for: `user`, `item`, `order`, `amount`, `price`, `quantity`, `lines`; and the name of what was created. */
  readonly facts: Facts
  readonly idempotencyKey: string | undefined
  readonly begunMs: number
  readonly endedMs: number
  readonly told: Told
  /** 0 if there was no answer. */
  readonly status: number
  /** The last part of the problem's type, for instance `out-of-credit`, else ''. */
  readonly problem: string
  /** What was shown by a read; of a checkout that was refused for stock, the `item`. */
  readonly value: Facts
  /** The answer to an action that bore a key, to the letter. */
  readonly letter: string
}

export type History = {
  readonly operations: readonly Operation[]
  /** A client of its own, whose every request is recorded under its name. */
  readonly client: (origin: string, name: string) => Client
}

/** The name that a request learns by its answer, which is no part of what it asked. */
export const CREATES: Partial<Readonly<Record<Does, string>>> = {
  'create-user': 'user',
  'create-item': 'item',
  'create-order': 'order',
  place: 'order',
}

/** What says "not now": the same request under the same key may meet another answer later. */
export const PASSING: ReadonlySet<string> = new Set([
  'locked',
  'credit-held',
  'checkout-cancelling',
  'item-withdrawn',
  'order-not-open',
  'order-not-paid',
  'neighbour-unavailable',
])

type Body = Readonly<Record<string, unknown>>
type Row = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: RegExp
  /** What the body asks for. */
  readonly asks?: (body: Body) => Facts
  /** The facts that a success adds to those asked for. */
  readonly creates?: (body: Body) => Facts
  readonly shows?: (body: Body) => Facts
}

const linesShown = (items: unknown): string =>
  (items as readonly (readonly [string, number])[]).map(([item, quantity]) => `${item}:${quantity}`).join(',')

const orderShown = ({ user_id, status, paid, total_cost, items }: Body): Facts => ({
  user: String(user_id),
  status: String(status),
  paid: String(paid),
  total: String(total_cost),
  lines: linesShown(items),
})

const ROUTES: Readonly<Record<Does, Row>> = {
  'create-user': {
    method: 'POST',
    path: /^\/payment\/create_user$/,
    creates: ({ user_id }) => ({ user: String(user_id) }),
  },
  'find-user': {
    method: 'GET',
    path: /^\/payment\/find_user\/(?<user>[^/?]+)$/,
    shows: ({ credit }) => ({ credit: String(credit) }),
  },
  'add-funds': { method: 'POST', path: /^\/payment\/add_funds\/(?<user>[^/]+)\/(?<amount>\d+)$/ },
  pay: { method: 'POST', path: /^\/payment\/pay\/(?<user>[^/]+)\/(?<amount>\d+)$/ },
  'create-item': {
    method: 'POST',
    path: /^\/stock\/item\/create\/(?<price>\d+)$/,
    creates: ({ item_id }) => ({ item: String(item_id) }),
  },
  'find-item': {
    method: 'GET',
    path: /^\/stock\/find\/(?<item>[^/?]+)$/,
    shows: ({ stock, price }) => ({ stock: String(stock), price: String(price) }),
  },
  add: { method: 'POST', path: /^\/stock\/add\/(?<item>[^/]+)\/(?<amount>\d+)$/ },
  subtract: { method: 'POST', path: /^\/stock\/subtract\/(?<item>[^/]+)\/(?<amount>\d+)$/ },
  'set-price': {
    method: 'PATCH',
    path: /^\/stock\/item\/(?<item>[^/?]+)$/,
    asks: ({ price }) => ({ price: String(price) }),
  },
  place: {
    method: 'POST',
    path: /^\/orders$/,
    asks: ({ user_id, lines }) => ({ user: String(user_id), lines: JSON.stringify(lines) }),
    creates: ({ order_id }) => ({ order: String(order_id) }),
  },
  'create-order': {
    method: 'POST',
    path: /^\/orders\/create\/(?<user>[^/]+)$/,
    creates: ({ order_id }) => ({ order: String(order_id) }),
  },
  'find-order': {
    method: 'GET',
    path: /^\/orders\/find\/(?<order>[^/?]+)$/,
    shows: orderShown,
  },
  'find-orders': { method: 'GET', path: /^\/orders\?user=(?<user>[^&]+)(?:&limit=\d+)?$/ },
  'add-item': { method: 'POST', path: /^\/orders\/addItem\/(?<order>[^/]+)\/(?<item>[^/]+)\/(?<quantity>\d+)$/ },
  refund: {
    method: 'POST',
    path: /^\/orders\/(?<order>[^/?]+)\/refunds$/,
    asks: ({ lines = [] }) => ({ lines: JSON.stringify(lines) }),
  },
  cancel: { method: 'POST', path: /^\/orders\/(?<order>[^/?]+)\/cancel$/ },
  delete: { method: 'DELETE', path: /^\/orders\/(?<order>[^/?]+)$/ },
  checkout: { method: 'POST', path: /^\/orders\/checkout\/(?<order>[^/?]+)$/ },
}

const recognise = (method: string, path: string, body = '{}'): { does: Does; facts: Facts } | undefined => {
  for (const does of DOES) {
    const { asks, ...row } = ROUTES[does]
    const found = row.method === method ? row.path.exec(path) : null
    if (found) return { does, facts: { ...found.groups, ...asks?.(JSON.parse(body) as Body) } }
  }
  return undefined
}

/** 200, 201 or 204. */
export const isDone = (status: number): boolean => status >= 200 && status < 300

/**
 * A request time-out says nothing of the action. Every other 4xx promises that there is none, and so does whoever says in so
 * many words that nothing was done.
 */
export const toldBy = (status: number, json?: unknown): Told => {
  if (isDone(status)) return 'ok'
  if (status >= 400 && status < 500 && status !== 408) return 'refused'
  return /\bnothing was (done|begun)\b/.test(String((json as Body | undefined)?.detail)) ? 'refused' : 'unknown'
}

const PROBLEM = /^urn:shop:problem:(.+)$/
const problemIn = ({ status, json }: Reply): string =>
  isDone(status) ? '' : (PROBLEM.exec(String((json as Body | undefined)?.type))?.[1] ?? '')

/** What an answer shows: a read's value, or the item that a checkout was refused for. */
const shownBy = (does: Does, { status, json }: Reply): Facts => {
  const body = (json ?? {}) as Body
  if (isDone(status)) return ROUTES[does].shows?.(body) ?? {}
  return typeof body.item_id === 'string' ? { item: body.item_id } : {}
}

/** Who looks at a list looks at each order of it. */
const listedIn = ({ json }: Reply): readonly Body[] => ((json ?? {}) as { orders?: readonly Body[] }).orders ?? []

const keyOf = (headers: Readonly<Record<string, string>>): string | undefined =>
  Object.entries(headers).find(([name]) => name.toLowerCase() === 'idempotency-key')?.[1]

export const openHistory = (): History => {
  const operations: Operation[] = []

  const recording =
    (client: string) =>
    (request: Client['request']): Client['request'] =>
    async (method, path, headers = {}, body) => {
      const asked = recognise(method, path, body)
      if (asked === undefined) return request(method, path, headers, body)
      const { does } = asked
      const common = { client, does, idempotencyKey: keyOf(headers), begunMs: performance.now() }
      try {
        const reply = await request(method, path, headers, body)
        const created = isDone(reply.status) ? ROUTES[does].creates?.(reply.json as Body) : undefined
        const operation: Operation = {
          ...common,
          facts: { ...asked.facts, ...created },
          endedMs: performance.now(),
          told: toldBy(reply.status, reply.json),
          status: reply.status,
          problem: problemIn(reply),
          value: shownBy(does, reply),
          letter: common.idempotencyKey === undefined ? '' : reply.text,
        }
        operations.push(operation)
        for (const order of does === 'find-orders' ? listedIn(reply) : [])
          operations.push({
            ...operation,
            does: 'find-order',
            facts: { order: String(order.order_id) },
            value: orderShown(order),
          })
        return reply
      } catch (error) {
        const endedMs = performance.now()
        operations.push({
          ...common,
          ...asked,
          endedMs,
          told: 'unknown',
          status: 0,
          problem: '',
          value: {},
          letter: '',
        })
        throw error
      }
    }

  return { operations, client: (origin, name) => openClient(origin, recording(name)) }
}

/** Things by the name that they are given, in their order. */
export const groupedBy = <Thing>(things: readonly Thing[], nameOf: (thing: Thing) => string): Map<string, Thing[]> => {
  const groups = new Map<string, Thing[]>()
  for (const thing of things) {
    const group = groups.get(nameOf(thing))
    if (group) group.push(thing)
    else groups.set(nameOf(thing), [thing])
  }
  return groups
}
