/**
 * What is done in the crash cases when something was lost, or in the course of time?
 *
 * `submit`: an order is checked out without waiting. `amend`: one is changed that is paid. `contradict`: the Redis of payment
 * comes back without customers whose orders are paid, and `resolve`: a person says what is to be. `loseSince`: a Redis loses what
 * this shop's processes were told it did. `survey`: it is said, all the way through the logs, which checkouts are not over.
 * `hold` and `queue`: programs want a lock. `tell`: a program is told of orders. `scrape`: somebody reads the metrics.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { Redis } from 'ioredis'
import { nanoid } from 'nanoid'
import { PartError } from '../../env/local/managed-process.ts'
import type { RedisPart } from '../../env/local/parts.ts'
import { compareIds, logKey, readable } from '../../shared/log/entry.ts'
import { locksLeft } from '../support/checker/invariants.ts'
import { eventually } from '../support/eventually.ts'
import { comeBackOlder } from '../support/faults/catalogue.ts'
import { openReceiver, refuse, take } from '../support/receiver.ts'
import { answerIfAny, type Headers, type Reply } from '../support/shop/client.ts'
import type { OpenShop } from '../support/shop/shop.ts'

export const TIMEOUT_MS = 30_000

/** Asks under a key until there is an answer that is not "not now"; with a body, if there is one. */
export const ask = (
  { client }: OpenShop,
  method: string,
  path: string,
  body?: object,
  more: Headers = {},
): Promise<Reply> => {
  const headers = { 'Idempotency-Key': nanoid(), ...(body && { 'Content-Type': 'application/json' }), ...more }
  const text = body && JSON.stringify(body)
  return eventually(async () => {
    const reply = await answerIfAny(client.request(method, path, headers, text))
    assert.ok(reply, `no answer to ${path}`)
    assert.ok(reply.status < 500 && reply.status !== 424, `${path}: ${reply.status} ${reply.text}`)
    return reply
  }, TIMEOUT_MS)
}

/** Has a Redis come back as it was at a position of its file. Whoever is hit meanwhile may bring it back instead. */
export const loseSince = async (redis: RedisPart, position: number): Promise<void> => {
  try {
    await comeBackOlder(redis, { position })
  } catch (error) {
    if (!(error instanceof PartError)) throw error
  }
}

/**
 * Has a paid order changed: to so many pieces from now on, so that it may be asked again without a key. What was given up at its
 * deadline is wanted once more.
 */
export const amend = ({ client }: OpenShop, order: string, item: string, quantity: number): Promise<void> => {
  const headers = { 'Content-Type': 'application/json', 'If-Match': '*' }
  const body = JSON.stringify({ lines: [{ item_id: item, quantity }] })
  return eventually(async () => {
    const reply = await answerIfAny(client.request('PATCH', `/orders/${order}`, headers, body))
    assert.ok(reply, `no answer to a change of ${order}`)
    const isOver = reply.status < 500 && reply.status !== 424 && !reply.text.includes('order-changing')
    assert.ok(isOver, `${reply.status} ${reply.text}`)
  }, TIMEOUT_MS)
}

/** How long it is listened for: a Redis that came back older may have nothing to tell. */
const LISTEN_MS = 2_000

/** Listens until something is told of an order. */
const listen = async ({ shop }: OpenShop, order: string): Promise<void> => {
  try {
    const request = get(`${shop.url}/orders/${order}/events`, { signal: AbortSignal.timeout(LISTEN_MS) })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    for await (const text of response.setEncoding('utf8')) if (String(text).includes('event: ')) return
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error
  }
}

/** Has an order checked out without waiting, listens for a moment, and asks until that is decided. */
export const submit = async (opened: OpenShop, order: string): Promise<void> => {
  const path = `/orders/checkout/${order}`
  await ask(opened, 'POST', path, undefined, { Prefer: 'respond-async' })
  await eventually(() => listen(opened, order), TIMEOUT_MS)
  await eventually(async () => {
    const { state } = (await ask(opened, 'GET', path, undefined, { Prefer: 'wait=5' })).json as { state?: string }
    // A Redis that came back older may know of no checkout.
    assert.ok(state !== 'submitted' && state !== 'checking-out', `it is ${state} still`)
  }, TIMEOUT_MS)
}

type Listed = { readonly contradictions: readonly { readonly order_id: string; readonly log_id: string }[] }

/** Has payment forget the customers of orders that are paid. @returns the checkouts, which are contradicted then. */
export const contradict = async (
  opened: OpenShop,
  orders: readonly string[],
  position: number,
): Promise<readonly string[]> => {
  await loseSince(opened.shop.part('payment-redis'), position)
  return eventually(async () => {
    const { contradictions } = (await ask(opened, 'GET', '/orders/contradictions')).json as Listed
    const found = contradictions.filter(({ order_id }) => orders.includes(order_id))
    assert.equal(found.length, orders.length, 'it is not contradicted yet')
    return found.map(({ log_id }) => log_id)
  }, TIMEOUT_MS)
}

/** Ends contradictions as a person may: the first is refunded, the others are accepted. */
export const resolve = async (opened: OpenShop, sagas: readonly string[]): Promise<void> => {
  await ask(opened, 'GET', '/orders/contradictions')
  for (const [index, saga] of sagas.entries())
    await ask(opened, 'POST', `/orders/resolve/${saga}/${index === 0 ? 'refund' : 'accept?why=paid-in-cash'}`)
}

const RECENT = 100

/** The last survey that order has said; `0-0` if there was none. */
export const lastSurvey = async (orders: Redis): Promise<string> => {
  const recent = (await orders.xrevrange(logKey('order'), '+', '-', 'COUNT', RECENT)).map(readable)
  return recent.find(({ kind }) => kind === 'CheckoutsSurveyed')?.id ?? '0-0'
}

/** Has the log parser of order run until it has said a survey after the one named. */
export const survey = (opened: OpenShop, orders: Redis, after: string): Promise<void> =>
  eventually(async () => {
    await ask(opened, 'POST', '/orders/fault_tolerance')
    assert.ok(compareIds(await lastSurvey(orders), after) > 0, 'nothing was surveyed')
  }, TIMEOUT_MS)

/** A Redis that came back older grants nothing until what it has forgotten has ended. */
const HELD_MS = 1_500

/** Reads what each process counts, as soon as it can be asked. */
export const scrape = async ({ shop }: OpenShop): Promise<void> => {
  for (const { name, url } of shop.parts)
    if (!name.endsWith('-redis'))
      await eventually(async () => {
        const answer = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(LISTEN_MS) })
        assert.ok(answer.ok, `${name}: ${answer.status} ${await answer.text()}`)
      }, TIMEOUT_MS)
}

/**
 * Two programs want permits that only one of them can have, one waits for the other, and an operator looks on, and forces it;
 * then a job is run.
 */
export const hold = async (opened: OpenShop): Promise<void> => {
  const lock = `/locks/${nanoid()}`
  const permits = { mode: 'permit', permits: 2, ttl_ms: HELD_MS }
  await ask(opened, 'PUT', lock, { limit: 2 })
  await ask(opened, 'PUT', `${lock}/leases/first`, permits)
  await ask(opened, 'PATCH', `${lock}/leases/first`, { ttl_ms: HELD_MS })
  await ask(opened, 'PUT', `${lock}/leases/second`, { ...permits, queue: true })
  for (const path of [`${lock}?waiters=true`, `${lock}/tokens/1`, '/locks?count=true', '/locks/-/status'])
    await ask(opened, 'GET', path)
  await ask(opened, 'DELETE', `${lock}/leases/first`)
  await ask(opened, 'GET', `${lock}/leases/second?wait_ms=1000`)
  await ask(opened, 'DELETE', lock)
  await ask(opened, 'DELETE', `${lock}/leases/second`)
  const job = `/jobs/${nanoid()}`
  const run = `${job}/runs/${encodeURIComponent('2026-01-02T03:00:00Z')}/by/me`
  await ask(opened, 'PUT', run, { ttl_ms: HELD_MS, if_lost: 'again' })
  await ask(opened, 'GET', job)
  await ask(opened, 'PATCH', run, { outcome: 'done' })
  await ask(opened, 'PATCH', run, { ttl_ms: HELD_MS })
}

/** Longer than the places of those that wait are kept by one command. */
const QUEUED_MS = 3_500

/** A program has a lock; then another one waits for it, for a while. */
export const queue = async (opened: OpenShop): Promise<() => Promise<void>> => {
  const lock = `/locks/${nanoid()}`
  await ask(opened, 'PUT', `${lock}/leases/first`, { ttl_ms: 2 * QUEUED_MS })
  return async () => {
    await ask(opened, 'PUT', `${lock}/leases/second`, { wait_ms: QUEUED_MS, ttl_ms: HELD_MS })
    await ask(opened, 'DELETE', `${lock}/leases/first`)
  }
}

/** Waits for a second attempt: unless a Redis that came back older has forgotten the webhook, or the order that was to be told of. */
const whenTold = (opened: OpenShop, path: string, order: string, received: readonly unknown[]): Promise<void> =>
  eventually(async () => {
    const { status, json } = await ask(opened, 'GET', path)
    const { failures, behind_ms: behindMs } = json as { readonly failures?: number; readonly behind_ms?: number }
    const isTold = received.length > 0 || (await ask(opened, 'GET', `/orders/${order}`)).status === 404
    const hasNothing = isTold && failures === 0 && behindMs === 0
    assert.ok(
      received.length > 1 || status === 404 || hasNothing,
      `told ${received.length} times: ${JSON.stringify(json)}`,
    )
  }, TIMEOUT_MS)

/**
 * A receiver takes an event at the second attempt; an operator makes the webhook, changes it, looks on and deletes it: then
 * nobody delivers.
 */
export const tell = async (opened: OpenShop): Promise<void> => {
  const receiver = await openReceiver()
  const answers = [refuse(503, { 'Retry-After': '1' })]
  receiver.respond((response, one) => (answers.shift() ?? take)(response, one))
  try {
    const { json } = await ask(opened, 'POST', '/orders/webhooks', { url: receiver.url })
    const path = `/orders/webhooks/${(json as { readonly webhook_id: string }).webhook_id}`
    await ask(opened, 'PATCH', path, { enabled: true })
    await ask(opened, 'POST', `${path}/secret`)
    const { json: user } = await ask(opened, 'POST', '/payment/create_user')
    const created = await ask(opened, 'POST', `/orders/create/${(user as { readonly user_id: string }).user_id}`)
    const { order_id: order } = created.json as { readonly order_id: string }
    await whenTold(opened, path, order, receiver.received)
    await ask(opened, 'GET', `${path}/deliveries`)
    await ask(opened, 'POST', `${path}/test`)
    await ask(opened, 'DELETE', path)
    await eventually(async () => assert.deepEqual(await locksLeft(opened, ['lock:webhooks']), []), TIMEOUT_MS)
  } finally {
    receiver.close()
  }
}
