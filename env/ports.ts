/**
 * Which ports may a shop take?
 *
 * A shop keeps its ports for its whole life, also while one of its parts is down. So they are taken as one *block*, and
 * the launcher listens on the first port of the block, the guard, as long as it lives: no other shop of this machine can
 * come to the same block. Blocks lie below the ports that the system hands out by itself (32768 and up on Linux, 49152
 * on macOS): a client that keeps calling a port from that range while nobody listens on it ends up connected to itself.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createConnection, createServer, type Server } from 'node:net'

const FIRST_PORT = 10_240
const BLOCK_PORTS = 64
const BLOCKS = 350
const ATTEMPTS = 50
const CALL_TIMEOUT_MS = 1_000

/** Says who guards a block: a later launcher asks the port, and is told the word if this shop still lives. */
export type Guard = { readonly port: number; readonly word: string }

export type PortBlock = {
  readonly ports: readonly number[]
  readonly guard: Guard
  readonly release: () => Promise<void>
}

/** The port that was asked for is taken. */
export class PortBusyError extends Error {
  override readonly name = 'PortBusyError'
}

const listen = async (port: number, host: string): Promise<Server> => {
  const server = createServer()
  server.listen({ port, host, exclusive: true })
  await once(server, 'listening')
  return server
}

const close = async (server: Server): Promise<void> => {
  const closed = once(server, 'close')
  server.close()
  await closed
}

/** @throws PortBusyError, or what the system says, for instance that the port is reserved for root. */
export const assertPortFree = async (port: number, host: string): Promise<void> => {
  try {
    await close(await listen(port, host))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
      throw new PortBusyError(`port ${port} is in use by another program`, { cause: error })
    throw error
  }
}

const areFree = async (ports: readonly number[]): Promise<boolean> => {
  const checks = await Promise.allSettled(ports.map((port) => assertPortFree(port, '0.0.0.0')))
  return checks.every(({ status }) => status === 'fulfilled')
}

const openGuard = async (port: number, word: string): Promise<Server | undefined> => {
  try {
    const server = await listen(port, '127.0.0.1')
    server.on('connection', (socket) => {
      socket.on('error', () => socket.destroy())
      socket.end(word)
    })
    return server.unref()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined
    throw error
  }
}

/** Takes a block with `count` free ports. @throws if the shop is too big, or after 50 blocks that were not free. */
export const takePorts = async (count: number): Promise<PortBlock> => {
  if (count >= BLOCK_PORTS) throw new Error(`a shop may have ${BLOCK_PORTS - 1} processes, not ${count}`)
  const word = randomBytes(12).toString('hex')
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const first = FIRST_PORT + randomInt(BLOCKS) * BLOCK_PORTS
    const server = await openGuard(first, word)
    if (server === undefined) continue
    const ports = Array.from({ length: count }, (_, index) => first + 1 + index)
    if (await areFree(ports)) return { ports, guard: { port: first, word }, release: () => close(server) }
    await close(server)
  }
  throw new Error(`no ${count} free ports were found in ${ATTEMPTS} attempts`)
}

const timedOut = new Error(`no answer within ${CALL_TIMEOUT_MS} ms`)

/** Does the shop that left this guard behind still live? One that is too busy to answer does. */
export const isGuarded = async ({ port, word }: Guard): Promise<boolean> => {
  const socket = createConnection({ port, host: '127.0.0.1' })
  try {
    let said = ''
    for await (const chunk of socket.setEncoding('utf8').setTimeout(CALL_TIMEOUT_MS, () => socket.destroy(timedOut)))
      said += chunk
    return said === word
  } catch (error) {
    return error === timedOut
  } finally {
    socket.destroy()
  }
}
