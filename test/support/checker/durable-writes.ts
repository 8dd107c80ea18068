/**
 * Things that only one service knows: users with credit, items in stock, orders with a line, identifiers under a key.
 *
 * People make them one after the other, and keep what they were told. Whatever becomes of the Redis of that service, each
 * thing must afterwards be as it was told, or somebody must have listed by name what is missing of it.
 */

import assert from 'node:assert/strict'
import type { Service } from '../../../shared/contract/services.ts'
import { inParallel } from '../load/jobs.ts'
import { answerIfAny, type Client, type Reply } from '../shop/client.ts'

/** One thing that was made: how it is listed if it is lost, and whether it still is what was told. */
export type DurableWrite = {
  readonly of: Service
  /** As in the facts of an entry: `user:anna`. */
  readonly name: string
  readonly isKept: () => Promise<boolean>
}

export type Writing = { readonly stop: () => Promise<readonly DurableWrite[]> }

/** How many people make things of one service at a time. */
const PEOPLE = 2
const CREDIT = 7
const PIECES = 3
const PRICE = 2

/** What was told, or undefined if nothing was: then nothing was promised. */
const told = async (reply: Promise<Reply>): Promise<Reply | undefined> => {
  const given = await answerIfAny(reply)
  return given?.status === 200 ? given : undefined
}
const named = (reply: Reply | undefined, name: string): string | undefined =>
  reply && String((reply.json as Readonly<Record<string, unknown>>)[name])

type Make = (client: Client, number: number) => Promise<DurableWrite | undefined>

/** `buyer` and `item` were there before. */
const making = (buyer: string, item: string): Readonly<Record<Service, Make>> => ({
  ids: async (client, number) => {
    const key = { 'Idempotency-Key': `${buyer}-${number}` }
    const given = (await told(client.get('/ids/create', key)))?.text
    if (given === undefined) return undefined
    const isKept = async () => (await client.get('/ids/create', key)).text === given
    return { of: 'ids', name: `identifier:${given}`, isKept }
  },
  order: async (client) => {
    const order = named(await told(client.post(`/orders/create/${buyer}`)), 'order_id')
    if (order === undefined || !(await told(client.post(`/orders/addItem/${order}/${item}/1`)))) return undefined
    const isKept = async () => {
      const shown = await client.get(`/orders/find/${order}`)
      return shown.status === 200 && (shown.json as { total_cost: number }).total_cost === PRICE
    }
    return { of: 'order', name: `order:${order}`, isKept }
  },
  payment: async (client) => {
    const user = named(await told(client.post('/payment/create_user')), 'user_id')
    if (user === undefined || !(await told(client.post(`/payment/add_funds/${user}/${CREDIT}`)))) return undefined
    const isKept = async () => {
      const shown = await client.get(`/payment/find_user/${user}`)
      return shown.status === 200 && (shown.json as { credit: number }).credit === CREDIT
    }
    return { of: 'payment', name: `user:${user}`, isKept }
  },
  stock: async (client) => {
    const made = named(await told(client.post(`/stock/item/create/${PRICE}`)), 'item_id')
    if (made === undefined || !(await told(client.post(`/stock/add/${made}/${PIECES}`)))) return undefined
    const isKept = async () => {
      const shown = await client.get(`/stock/find/${made}`)
      return shown.status === 200 && (shown.json as { stock: number }).stock === PIECES
    }
    return { of: 'stock', name: `item:${made}`, isKept }
  },
})

/** Lets people make things of all these services until they are stopped. */
export const startWriting = async (client: Client, services: readonly Service[]): Promise<Writing> => {
  const make = making(await client.createUser(), await client.createItem(PRICE))
  const writes: DurableWrite[] = []
  let number = 0
  let stopping = false
  const work = services.map((service) =>
    inParallel(PEOPLE, PEOPLE, async () => {
      while (!stopping) {
        const made = await make[service](client, number++)
        if (made) writes.push(made)
      }
    }),
  )
  const all = Promise.all(work)
  // It is awaited later, when the fault is over.
  all.catch(() => undefined)
  return {
    stop: async () => {
      stopping = true
      await all
      assert.notEqual(writes.length, 0)
      return writes
    },
  }
}
