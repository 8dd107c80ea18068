/** A gateway in this process, in front of replicas that a test made, and the words to speak to it. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { ExecutionContext } from 'ava'
import pino from 'pino'
import { Agent, type Dispatcher } from 'undici'
import { type Gateway, type GatewayOptions, openGateway } from '../../../gateway/gateway.ts'
import type { Service } from '../../../shared/contract/services.ts'
import type { Problem } from '../../../shared/http/problem.ts'
import { openStep } from '../../../shared/process/step.ts'
import { openUpstream, type Upstream } from './upstream.ts'

export type Reply = {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  readonly text: string
}

export type Ask = {
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer | undefined
}

export type Shop = {
  readonly gateway: Gateway
  readonly origin: string
  readonly ask: (method: Dispatcher.HttpMethod, path: string, options?: Ask) => Promise<Reply>
}

type ShopOptions = Partial<Omit<GatewayOptions, 'origins'>> & {
  readonly origins?: Partial<Record<Service, readonly string[]>>
}

/** Opens a gateway; services that are given no origin have no replica. */
export const openShop = async (t: ExecutionContext, { origins, ...options }: ShopOptions): Promise<Shop> => {
  const gateway = await openGateway({
    port: 0,
    host: '127.0.0.1',
    timeoutMs: 20_000,
    waitMs: 20_000,
    drainMs: 0,
    step: openStep('gateway'),
    log: pino({ level: 'silent' }),
    ...options,
    origins: { order: [], payment: [], stock: [], ids: [], ...origins },
  })
  const origin = `http://127.0.0.1:${gateway.port}`
  const agent = new Agent()
  t.teardown(async () => {
    await agent.destroy(null)
    await gateway.close()
  })
  const ask: Shop['ask'] = async (method, path, { headers = {}, body } = {}) => {
    const reply = await agent.request({ origin, path, method, headers, body: body ?? null })
    return { status: reply.statusCode, headers: reply.headers, text: await reply.body.text() }
  }
  return { gateway, origin, ask }
}

/** Starts replicas that end with the test. */
export const openUpstreams = async (t: ExecutionContext, count: number): Promise<Upstream[]> => {
  const upstreams = await Promise.all(Array.from({ length: count }, () => openUpstream()))
  t.teardown(() => Promise.all(upstreams.map((upstream) => upstream.refuse())))
  return upstreams
}

type ReplicasOptions = Omit<ShopOptions, 'origins'> & {
  readonly service?: Service
  readonly condition?: Upstream['condition']
  readonly readyHeaders?: Upstream['readyHeaders']
}

export type Replicas = Shop & {
  readonly upstreams: readonly Upstream[]
  /** The first of them. */
  readonly upstream: Upstream
  /** Resolves once the gateway knows how each of them is. */
  readonly settled: () => Promise<unknown>
}

/** A gateway in front of some replicas of one service, and of nobody else. */
export const openReplicas = async (
  t: ExecutionContext,
  count: number,
  { service = 'order', condition = 'ready', readyHeaders = {}, ...options }: ReplicasOptions = {},
): Promise<Replicas> => {
  const upstreams = await openUpstreams(t, count)
  for (const upstream of upstreams) Object.assign(upstream, { condition, readyHeaders })
  const shop = await openShop(t, { ...options, origins: { [service]: upstreams.map(({ origin }) => origin) } })
  return {
    ...shop,
    upstreams,
    upstream: upstreams[0] as Upstream,
    settled: () => Promise.all(upstreams.map((upstream) => upstream.settled())),
  }
}

/** The problem document of a reply, whose media type it asserts. */
export const problemOf = (t: ExecutionContext, reply: Reply): Problem => {
  t.is(reply.headers['content-type'], 'application/problem+json')
  const document: Problem = JSON.parse(reply.text)
  t.is(document.status, reply.status)
  return document
}

/** A bare connection, for what no well-behaved client sends. */
export const openSocket = async (t: ExecutionContext, port: number, allowHalfOpen = false): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen })
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Sends bytes on a connection of their own, and reads all that comes back until the other side ends it. */
export const sendBytes = async (t: ExecutionContext, port: number, bytes: string): Promise<string> => {
  const socket = await openSocket(t, port)
  socket.write(bytes, 'latin1')
  return readAll(socket)
}

/** Everything that comes on a connection until the other side ends it, by a reset or not. */
export const readAll = async (socket: Socket): Promise<string> => {
  const closed = Promise.withResolvers<void>()
  let all = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    all += text
  })
  socket.on('error', () => socket.destroy()).on('close', closed.resolve)
  await closed.promise
  return all
}

/** Writes as fast as the other side reads. */
export const flood = (socket: Socket, bytes: string): void => {
  const more = (): void => {
    while (!socket.destroyed && socket.write(bytes));
  }
  socket.on('error', () => socket.destroy()).on('drain', more)
  more()
}
