/**
 * With what is the shop filled?
 *
 * Through its routes for that (`batch_init`), so with any shop that speaks them: users who can pay for everything, items of
 * which there is enough, and for every checkout an order of its own, because an order is checked out once. Each order is
 * a random user's and has two random lines of one piece each.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as after } from 'node:timers/promises'
import { request } from 'undici'

export type Seed = {
  readonly users: number
  readonly items: number
  readonly orders: number
  readonly credit: number
  readonly stock: number
  readonly price: number
}

const USERS = 10_000
const ITEMS = 10_000
const CREDIT = 100_000_000
const STOCK = 100_000_000
const PRICE = 3
/** As many of each as `batch_init` makes at once. */
export const THINGS_MAX = 1_000_000
/** What is thought possible: a run that finds it is faster ends when its orders are used up. */
const RATE_MAX = 4_000
const RATE_OF_ONE_CONNECTION_MAX = 500
const SEEDING_MS = 300_000

/** How many orders a run may need. */
export const ordersFor = (connections: number, ms: number): number =>
  Math.ceil((Math.min(RATE_MAX, connections * RATE_OF_ONE_CONNECTION_MAX) * ms) / 1_000)

/** What of the options says how much there is. */
type Wanted = { readonly hotItem: boolean; readonly hotUser: boolean } & {
  readonly [thing in 'users' | 'items' | 'orders']?: number | undefined
}

/** `--hot-item` makes one item, so each order has one line of two pieces; `--hot-user` makes one user. */
export const seedOf = ({ hotItem, hotUser, users, items, orders }: Wanted, needed: number): Seed => ({
  users: hotUser ? 1 : (users ?? USERS),
  items: hotItem ? 1 : (items ?? ITEMS),
  orders: orders ?? Math.min(Math.max(1, needed), THINGS_MAX),
  credit: CREDIT,
  stock: STOCK,
  price: PRICE,
})

/** The shop would not be filled: the message says what it answered. */
export class SeedError extends Error {
  override readonly name = 'SeedError'
}

/** What a shop answers that may yet have done it, or could not just now: under the same key it goes on. */
const AGAIN: ReadonlySet<number> = new Set([502, 503, 504])
const AGAIN_MS = 1_000

/** Asks for what only operators may do, again if need be, on a machine that has much else to do. @throws SeedError */
export const command = async (
  origin: string,
  path: string,
  signal: AbortSignal,
  token = process.env.OPERATOR_TOKEN,
): Promise<void> => {
  const headers = {
    'idempotency-key': `bench-${randomUUID()}`,
    ...(token ? { authorization: `Bearer ${token}` } : {}),
  }
  const limit = { headersTimeout: SEEDING_MS, bodyTimeout: SEEDING_MS }
  const ask = async () => {
    const { statusCode, body } = await request(`${origin}${path}`, { method: 'POST', headers, signal, ...limit }).catch(
      (error: NodeJS.ErrnoException) => {
        if (signal.aborted || error.code === undefined) throw error
        throw new SeedError(`${origin} does not answer (${error.code})`, { cause: error })
      },
    )
    return { statusCode, text: await body.text() }
  }
  const deadline = performance.now() + SEEDING_MS
  let { statusCode, text } = await ask()
  while (AGAIN.has(statusCode) && performance.now() < deadline) {
    await after(AGAIN_MS, undefined, { signal })
    ;({ statusCode, text } = await ask())
  }
  if (statusCode !== 200) throw new SeedError(`POST ${path} was answered ${statusCode}: ${text.slice(0, 300)}`)
}

/** Replaces the users, items and orders from 0 on. @throws SeedError */
export const fill = async (
  origin: string,
  seed: Seed,
  signal: AbortSignal,
  token: string | undefined,
): Promise<void> => {
  const { users, items, orders, credit, stock, price } = seed
  await command(origin, `/stock/batch_init/${items}/${stock}/${price}`, signal, token)
  await command(origin, `/payment/batch_init/${users}/${credit}`, signal, token)
  await command(origin, `/orders/batch_init/${orders}/${items}/${users}/${price}`, signal, token)
}
