/**
 * A customer of the shop, who speaks to it through its gateway and believes only what it answers.
 *
 * Each answer is one that the contract lists, or the request fails.
 * The words for seeding (`createUser`, `createItem`, `createOrder`) want a 200 and keep account of what they added.
 */

import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import axios, { isAxiosError } from 'axios'
import type { Line } from '../../../shared/contract/lines.ts'
import type { Problem } from '../../../shared/http/problem.ts'
import type { LogEntry } from '../../../shared/log/entry.ts'
import { eventually } from '../eventually.ts'
import { openContract } from './contract.ts'

export type Reply = {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  /** The body of a JSON or problem document, else undefined. */
  readonly json: unknown
}

export type Headers = Readonly<Record<string, string>>
export type OrderShown = {
  readonly order_id: string
  readonly paid: boolean
  readonly items: readonly Line[]
  readonly user_id: string
  readonly total_cost: number
  readonly status: string
}
export type Prefix = 'orders' | 'payment' | 'stock' | 'ids'

export type Cart = { readonly user: string; readonly item: string; readonly order: string }
/** What there is, by default plenty, and how many pieces the order is for. */
export type Wishes = {
  readonly credit?: number
  readonly price?: number
  readonly stock?: number
  readonly quantity?: number
}

export type Client = {
  /** Any request to any path of the shop. @throws if the connection breaks before there is an answer. */
  readonly request: (method: string, path: string, headers?: Headers, body?: string) => Promise<Reply>
  readonly get: (path: string, headers?: Headers) => Promise<Reply>
  readonly post: (path: string, headers?: Headers) => Promise<Reply>
  readonly checkout: (order: string, headers?: Headers) => Promise<Reply>
  readonly createUser: (credit?: number) => Promise<string>
  readonly createItem: (price: number, stock?: number) => Promise<string>
  readonly createOrder: (user: string, lines?: readonly Line[]) => Promise<string>
  /** All that a checkout needs: a user, an item, and an order of some pieces of it. */
  readonly createCart: (wishes?: Wishes) => Promise<Cart>
  readonly credit: (user: string) => Promise<number>
  readonly stock: (item: string) => Promise<number>
  readonly order: (order: string) => Promise<OrderShown>
  /** A whole log, read in pages. */
  readonly log: (prefix: Prefix) => Promise<readonly LogEntry[]>
  /** What the words for seeding have added up to; whoever adds otherwise writes it down here. */
  readonly added: { credit: number; stock: number }
  readonly close: () => void
}

const TIMEOUT_MS = 40_000
const faultOf = openContract()
const PAGE = 1_000

export const problemOf = (reply: Reply): Problem => {
  if (reply.headers['content-type'] !== 'application/problem+json')
    throw new Error(`no problem document but ${reply.status}: ${reply.text}`)
  return reply.json as Problem
}

const parse = (contentType: unknown, text: string): unknown =>
  /^application\/(problem\+)?json\b/.test(String(contentType)) ? JSON.parse(text) : undefined

/** A client; `around` may put something around each of its requests, for instance a record of it. */
export const openClient = (
  origin: string,
  around: (request: Client['request']) => Client['request'] = (request) => request,
): Client => {
  const agent = new Agent({ keepAlive: true })
  const http = axios.create({
    baseURL: origin,
    httpAgent: agent,
    proxy: false,
    timeout: TIMEOUT_MS,
    maxRedirects: 0,
    responseType: 'text',
    transformResponse: (text: string) => text,
    validateStatus: () => true,
  })
  const added = { credit: 0, stock: 0 }

  const request = around(async (method, path, headers = {}, body) => {
    const reply = await http.request<string>({ method, url: path, headers, data: body })
    const { status, data: text } = reply
    const answer = { status, headers: { ...reply.headers }, text, json: parse(reply.headers['content-type'], text) }
    const fault = faultOf(method, path, answer)
    assert.equal(fault, undefined, `${method} ${path}: ${fault}, and the contract says otherwise`)
    return answer
  })
  const get: Client['get'] = (path, headers) => request('GET', path, headers)
  const post: Client['post'] = (path, headers) => request('POST', path, headers)

  const wanted = async <Body>(reply: Promise<Reply>): Promise<Body> => {
    const { status, text, json } = await reply
    if (status !== 200) throw new Error(`200 was wanted: ${status} ${text}`)
    return json as Body
  }

  const createUser: Client['createUser'] = async (credit = 0) => {
    const { user_id } = await wanted<{ user_id: string }>(post('/payment/create_user'))
    if (credit > 0) await wanted(post(`/payment/add_funds/${user_id}/${credit}`))
    added.credit += credit
    return user_id
  }
  const createItem: Client['createItem'] = async (price, stock = 0) => {
    const { item_id } = await wanted<{ item_id: string }>(post(`/stock/item/create/${price}`))
    if (stock > 0) await wanted(post(`/stock/add/${item_id}/${stock}`))
    added.stock += stock
    return item_id
  }
  const createOrder: Client['createOrder'] = async (user, lines = []) => {
    const { order_id } = await wanted<{ order_id: string }>(post(`/orders/create/${user}`))
    for (const [item, quantity] of lines) await wanted(post(`/orders/addItem/${order_id}/${item}/${quantity}`))
    return order_id
  }
  return {
    request,
    get,
    post,
    checkout: (order, headers) => post(`/orders/checkout/${order}`, headers),
    createUser,
    createItem,
    createOrder,
    createCart: async ({ credit = 100, price = 5, stock = 10, quantity = 1 } = {}) => {
      const user = await createUser(credit)
      const item = await createItem(price, stock)
      return { user, item, order: await createOrder(user, [[item, quantity]]) }
    },
    credit: async (user) => (await wanted<{ credit: number }>(get(`/payment/find_user/${user}`))).credit,
    stock: async (item) => (await wanted<{ stock: number }>(get(`/stock/find/${item}`))).stock,
    order: (order) => wanted<OrderShown>(get(`/orders/find/${order}`)),
    log: async (prefix) => {
      const entries: LogEntry[] = []
      for (let next: string | null = '0-0'; next !== null; ) {
        const page: { logs: LogEntry[]; next: string | null } = await wanted(
          get(`/${prefix}/logs?after=${next}&limit=${PAGE}`),
        )
        entries.push(...page.logs)
        next = page.next
      }
      return entries
    },
    added,
    close: () => agent.destroy(),
  }
}

const SAID_MS = 5_000

/** Waits until a service has said something of an order. */
export const whenSaid = (client: Client, prefix: Prefix, kind: string, order: string): Promise<void> =>
  eventually(async () => {
    const log = await client.log(prefix)
    assert.ok(log.some((entry) => entry.kind === kind && entry.facts.order === order))
  }, SAID_MS)

/** Waits until an order is shown in this state. */
export const whenStatus = (client: Client, order: string, status: string, withinMs: number): Promise<void> =>
  eventually(async () => assert.equal((await client.order(order)).status, status), withinMs)

const PAID_MS = 20_000

/** Asks for a checkout until it is paid. */
export const whenPaid = (client: Client, order: string, withinMs = PAID_MS): Promise<void> =>
  eventually(async () => {
    const { status, text } = await client.checkout(order)
    assert.equal(status, 200, text)
  }, withinMs)

const READY_MS = 15_000

/** Resolves once whoever is asked, a service itself or the gateway, says that nothing it has to do is impaired. */
export const isReady = (client: Client, withinMs = READY_MS): Promise<void> =>
  eventually(async () => {
    const { status, text } = await client.get('/ready')
    assert.equal(status, 200, text)
  }, withinMs)

/** The answer, or undefined if the connection broke before there was one. */
export const answerIfAny = async (reply: Promise<Reply>): Promise<Reply | undefined> => {
  try {
    return await reply
  } catch (error) {
    if (isAxiosError(error)) return undefined
    throw error
  }
}
