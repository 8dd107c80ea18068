/**
 * What does a shop hold that is only known by its address? Asked by its routes: all users and items, and of the orders
 * that were checked out at most `ORDERS_MAX`, evenly spread. What is held or unfinished inside cannot be seen there.
 */
import { Pool } from 'undici'
import type { OrderRow, Reading } from './books.ts'
import type { Seed } from './seed.ts'

const ORDERS_MAX = 20_000
const CONNECTIONS = 32
const ANSWER_MS = 10_000

type User = { readonly credit: number }
type Item = { readonly stock: number }
type Order = {
  readonly paid: boolean
  readonly user_id: string
  readonly total_cost: number
  readonly items: readonly (readonly [item: string, quantity: number])[]
}

/** Asks for each path, so many at once, and keeps the order. @throws if one is not answered 200. */
const askAll = async <Answer>(pool: Pool, paths: readonly string[]): Promise<Answer[]> => {
  const answers: Answer[] = []
  let next = 0
  const ask = async (): Promise<void> => {
    while (next < paths.length) {
      const at = next
      next += 1
      const path = paths[at] ?? ''
      const { statusCode, body } = await pool.request({ method: 'GET', path })
      const text = await body.text()
      if (statusCode !== 200) throw new Error(`GET ${path} was answered ${statusCode}: ${text.slice(0, 300)}`)
      answers[at] = JSON.parse(text) as Answer
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, ask))
  return answers
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

const rowOf = (number: number, { paid, user_id, total_cost, items }: Order): OrderRow => ({
  number,
  user: Number(user_id),
  state: paid ? 'paid' : 'unpaid',
  total: total_cost,
  lines: items.map(([item, quantity]) => [Number(item), quantity] as const),
  isBegun: undefined,
})

/** Reads a shop after the orders before `next` were checked out. */
export const readRoutes = async (origin: string, seed: Seed, next: number): Promise<Reading> => {
  const pool = new Pool(origin, { connections: CONNECTIONS, headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS })
  try {
    const users = await askAll<User>(
      pool,
      range(seed.users).map((id) => `/payment/find_user/${id}`),
    )
    const items = await askAll<Item>(
      pool,
      range(seed.items).map((id) => `/stock/find/${id}`),
    )
    const count = Math.min(next, ORDERS_MAX)
    const numbers = range(count).map((index) => Math.floor((index * next) / count))
    const orders = await askAll<Order>(
      pool,
      numbers.map((number) => `/orders/find/${number}`),
    )
    return {
      credits: users.map(({ credit }) => credit),
      stocks: items.map(({ stock }) => stock),
      orders: orders.map((order, index) => rowOf(numbers[index] ?? 0, order)),
      isWhole: false,
      open: 0,
    }
  } finally {
    await pool.destroy()
  }
}
