/**
 * What does the benchmark's own shop hold? Read from its Redis, all of it.
 *
 * This is the only file of the benchmark that knows how the services keep their things: who changes that, changes the
 * functions at its head. Everything else goes through the routes.
 */
import { Redis } from 'ioredis'
import type { Shop } from '../../env/local/shop.ts'
import { parseLines } from '../../shared/contract/lines.ts'
import type { OrderRow, Reading } from './books.ts'
import type { Seed } from './seed.ts'

const CHUNK = 2_000

type Row = readonly (string | null)[]

/** `user:{id}`: what is owned, and the part of it that checkouts hold. */
const USER = { key: (id: number) => `user:${id}`, fields: ['credit', 'held'] } as const
const creditOf = ([credit]: Row): number => Number(credit ?? Number.NaN)
const isHeld = ([, held]: Row): boolean => Number(held ?? 0) !== 0

/** `item:{id}`: how many are there. */
const ITEM = { key: (id: number) => `item:${id}`, fields: ['stock'] } as const
const stockOf = ([stock]: Row): number => Number(stock ?? Number.NaN)

/** `order:{id}`: whose, what, whether it is paid, and its last checkout, if there was one. */
const ORDER = { key: (id: number) => `order:${id}`, fields: ['status', 'user', 'total', 'lines', 'saga'] } as const
const STATES: Readonly<Record<string, OrderRow['state']>> = { open: 'unpaid', paid: 'paid' }
const orderOf = ([status, user, total, lines, saga]: Row, number: number): OrderRow => ({
  number,
  user: Number(user),
  state: STATES[status ?? ''] ?? 'open',
  total: Number(total),
  lines: parseLines(lines ?? '').map(([item, quantity]) => [Number(item), quantity] as const),
  isBegun: saga != null,
})

/** The index of checkouts that a service has not finished. */
const OPEN_SAGAS = 'sagas:open'

type Kind = { readonly key: (id: number) => string; readonly fields: readonly string[] }

const readRows = async (redis: Redis, { key, fields }: Kind, count: number): Promise<Row[]> => {
  const rows: Row[] = []
  while (rows.length < count) {
    const pipeline = redis.pipeline()
    const last = Math.min(count, rows.length + CHUNK)
    for (let id = rows.length; id < last; id += 1) pipeline.hmget(key(id), ...fields)
    for (const [error, row] of (await pipeline.exec()) ?? []) {
      if (error) throw error
      rows.push(row as Row)
    }
  }
  return rows
}

const visit = async <Result>(
  { url }: { readonly url: string },
  read: (redis: Redis) => Promise<Result>,
): Promise<Result> => {
  const redis = new Redis(url)
  try {
    return await read(redis)
  } finally {
    redis.disconnect()
  }
}

/** The users of the first orders. */
export const readUsersOf = async ({ redis }: Shop, orders: number): Promise<Uint32Array> =>
  Uint32Array.from(await visit(redis.order, (connection) => readRows(connection, ORDER, orders)), ([, user]) =>
    Number(user),
  )

/** Reads all users, items and orders, and counts what is unfinished. */
export const readRedis = async ({ redis }: Shop, seed: Seed): Promise<Reading> => {
  const openSagas = (connection: Redis): Promise<number> => connection.zcard(OPEN_SAGAS)
  const orders = await visit(redis.order, async (connection) => ({
    rows: await readRows(connection, ORDER, seed.orders),
    open: await openSagas(connection),
  }))
  const users = await visit(redis.payment, async (connection) => ({
    rows: await readRows(connection, USER, seed.users),
    open: await openSagas(connection),
  }))
  const items = await visit(redis.stock, (connection) => readRows(connection, ITEM, seed.items))
  return {
    credits: users.rows.map(creditOf),
    stocks: items.map(stockOf),
    orders: orders.rows.map(orderOf),
    isWhole: true,
    open: orders.open + users.open + users.rows.filter(isHeld).length,
  }
}
