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
  'place-form',
  'find-order',
  'find-orders',
  'show-order',
  'find-form',
  'add-item',
  'change',
  'checkout',
  'submit',
  'find-checkout',
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
  'place-form': 'order',
}

/** What says "not now": the same request under the same key may meet another answer later. */
export const PASSING: ReadonlySet<string> = new Set([
  'locked',
  'credit-held',
  'checkout-cancelling',
  'item-withdrawn',
  'order-not-open',
  'order-not-paid',
  'order-changing',
  'neighbour-unavailable',
])

type Body = Readonly<Record<string, unknown>>
type Row = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: RegExp
  /** Does the client want to wait for the end? It says so in `Prefer`. */
  readonly waits?: boolean
  /** What the body asks for, and from which version. */
  readonly asks?: (body: Body, from: string) => Facts
  /** The facts that a success adds to those asked for. */
  readonly creates?: (body: Body) => Facts
  /** @param tag the version, as the entity tag says it; '' if there is none */
  readonly shows?: (body: Body, tag: string) => Facts
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

const checkoutShown = ({ log_id, state, reason, deadline }: Body): Facts =>
  state === undefined
    ? {}
    : { saga: String(log_id), state: String(state), reason: String(reason), deadline: String(deadline) }

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
  'place-form': {
    method: 'POST',
    path: /^\/api\/orders$/,
    asks: ({ user_id, value }) => ({ user: String(user_id), total: String(value) }),
    creates: ({ id }) => ({ order: String(id) }),
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
  // A word that is no identifier is a route of operators.
  'show-order': {
    method: 'GET',
    path: /^\/orders\/(?<order>[\w-]{21})$/,
    shows: (body, tag) => ({ ...orderShown(body), version: tag }),
  },
  'find-form': {
    method: 'GET',
    path: /^\/api\/order\/(?<order>[^/?]+)$/,
    shows: ({ user_id, value, status }) => ({ user: String(user_id), total: String(value), form: String(status) }),
  },
  'find-checkout': {
    method: 'GET',
    path: /^\/orders\/checkout\/(?<order>[^/?]+)$/,
    shows: checkoutShown,
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
  change: {
    method: 'PATCH',
    path: /^\/orders\/(?<order>[^/?]+)$/,
    asks: ({ lines = [] }, from) => ({ lines: JSON.stringify(lines), from }),
    shows: (_body, tag) => ({ version: tag }),
  },
  checkout: { method: 'POST', path: /^\/orders\/checkout\/(?<order>[^/?]+)$/, waits: true },
  submit: { method: 'POST', path: /^\/orders\/checkout\/(?<order>[^/?]+)$/, waits: false, shows: checkoutShown },
}

const headerIn = (headers: Readonly<Record<string, unknown>>, wanted: string): string | undefined => {
  const [, value] = Object.entries(headers).find(([name]) => name.toLowerCase() === wanted) ?? []
  return value === undefined ? undefined : String(value)
}

/** A version, as an entity tag says it, also while the draft of its invoice is behind; `*` is any. */
const versionOf = (tag = ''): string => tag.replace(/["+]/g, '')

/** A body is JSON, or a form. */
const bodyIn = (text: string): Body =>
  text.startsWith('{') ? (JSON.parse(text) as Body) : Object.fromEntries(new URLSearchParams(text))

const recognise = (
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body = '{}',
): { does: Does; facts: Facts } | undefined => {
  const waits = !headerIn(headers, 'prefer')?.includes('respond-async')
  for (const does of DOES) {
    const { asks, ...row } = ROUTES[does]
    const found = row.method === method && (row.waits ?? waits) === waits ? row.path.exec(path) : null
    const from = versionOf(headerIn(headers, 'if-match'))
    if (found) return { does, facts: { ...found.groups, ...asks?.(bodyIn(body), from) } }
  }
  return undefined
}

/** Was a checkout submitted, whose client was told no more than that it will be decided? */
export const isSubmitted = ({ does, status }: Pick<Operation, 'does' | 'status'>): boolean =>
  does === 'submit' && status === 202

/** 200, 201, 202 or 204. */
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
const shownBy = (does: Does, { status, json, headers }: Reply): Facts => {
  const body = (json ?? {}) as Body
  const tag = versionOf(headerIn(headers, 'etag'))
  if (isDone(status)) return ROUTES[does].shows?.(body, tag) ?? {}
  if (tag !== '') return { version: tag }
  return typeof body.item_id === 'string' ? { item: body.item_id } : {}
}

/** Who looks at a list looks at each order of it. */
const listedIn = ({ json }: Reply): readonly Body[] => ((json ?? {}) as { orders?: readonly Body[] }).orders ?? []

export const openHistory = (): History => {
  const operations: Operation[] = []

  const recording =
    (client: string) =>
    (request: Client['request']): Client['request'] =>
    async (method, path, headers = {}, body) => {
      const asked = recognise(method, path, headers, body)
      if (asked === undefined) return request(method, path, headers, body)
      const { does } = asked
      const common = { client, does, idempotencyKey: headerIn(headers, 'idempotency-key'), begunMs: performance.now() }
      try {
        const reply = await request(method, path, headers, body)
        const created = isDone(reply.status) ? ROUTES[does].creates?.(reply.json as Body) : undefined
        const operation: Operation = {
          ...common,
          facts: { ...asked.facts, ...created },
          endedMs: performance.now(),
          told: isSubmitted({ does, status: reply.status }) ? 'unknown' : toldBy(reply.status, reply.json),
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
