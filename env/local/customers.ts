/**
 * Who buys in a shop that is only looked at?
 *
 * Twenty customers and ten items, made anew, and ten checkouts a second, some of which are refused. It ends by itself after five
 * minutes: nobody need think of it. Now and then somebody has a purchase refunded, credit is added, and stock comes in.
 */
import { setTimeout as after } from 'node:timers/promises'

const USERS = 20
const ITEMS = 10
const CREDIT = 600
const STOCK = 150
const EVERY_MS = 100
const UNDER_WAY_MAX = 100
const LATE_MS = 20_000
const STAY_MS = 300_000
/** One in so many checkouts is followed by a refund, or preceded by more credit and stock. */
const REFUND_IN = 25
const SUPPLY_IN = 12

export type Customers = {
  /** When they leave by themselves, in milliseconds since 1970. */
  readonly until: number
  /** How many checkouts they have begun. */
  readonly checkouts: () => number
  readonly leave: () => void
  readonly gone: Promise<void>
}

export type CustomersOptions = {
  readonly url: string
  /** A merchant's, where tokens are wanted; `''`: none. */
  readonly token: string
}

const random = (most: number): number => Math.floor(Math.random() * most)
const anyOf = (things: readonly string[]): string => things[random(things.length)] ?? ''

export const letCustomersIn = ({ url, token }: CustomersOptions): Customers => {
  const ending = new AbortController()
  const until = Date.now() + STAY_MS
  const timer = setTimeout(() => ending.abort(), STAY_MS)
  const underWay = new Set<Promise<void>>()
  let checkouts = 0

  /** Whatever comes of it but an answer is nothing: parts die meanwhile. */
  const post = async (path: string, body?: object): Promise<Record<string, string> | undefined> => {
    const headers = {
      'Idempotency-Key': crypto.randomUUID(),
      ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
      ...(body ? { 'Content-Type': 'application/json' } : {}),
    }
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(LATE_MS)])
    try {
      const response = await fetch(url + path, {
        method: 'POST',
        headers,
        signal,
        body: body ? JSON.stringify(body) : null,
      })
      const text = await response.text()
      return response.ok && text.startsWith('{') ? JSON.parse(text) : undefined
    } catch {
      return undefined
    }
  }

  /** Makes so many, as far as the shop can now. */
  const make = async (count: number, path: () => string, name: string): Promise<string[]> => {
    const made: string[] = []
    for (let n = 0; n < 3 * count && made.length < count && !ending.signal.aborted; n += 1) {
      const id = (await post(path()))?.[name]
      if (id !== undefined) made.push(id)
    }
    return made
  }

  const buy = async (users: readonly string[], items: readonly string[]): Promise<void> => {
    if (random(SUPPLY_IN) === 0) {
      await post(`/payment/add_funds/${anyOf(users)}/200`)
      await post(`/stock/add/${anyOf(items)}/25`)
    }
    const chosen = [...new Set([anyOf(items), anyOf(items)])]
    const lines = chosen.map((item_id) => ({ item_id, quantity: 1 + random(3) }))
    const order = (await post('/orders', { user_id: anyOf(users), lines }))?.id
    if (order === undefined) return
    checkouts += 1
    await post(`/orders/checkout/${order}`)
    if (random(REFUND_IN) === 0) await post(`/orders/${order}/refunds`, { reason: 'the colour' })
  }

  const shop = async (): Promise<void> => {
    const users = await make(USERS, () => '/payment/create_user', 'user_id')
    const items = await make(ITEMS, () => `/stock/item/create/${2 + random(14)}`, 'item_id')
    await Promise.all([
      ...users.map((user) => post(`/payment/add_funds/${user}/${CREDIT}`)),
      ...items.map((item) => post(`/stock/add/${item}/${STOCK}`)),
    ])
    while (!ending.signal.aborted) {
      if (underWay.size < UNDER_WAY_MAX) {
        const one = buy(users, items).finally(() => underWay.delete(one))
        underWay.add(one)
      }
      await after(EVERY_MS, undefined, { signal: ending.signal }).catch(() => undefined)
    }
    await Promise.all(underWay)
    clearTimeout(timer)
  }

  return { until, checkouts: () => checkouts, leave: () => ending.abort(), gone: shop() }
}
