/**
 * Which ports may a shop take?
 *
 * A shop keeps its ports for its whole life, also while one of its parts is down. So they are taken as one *block*, and
 * the launcher listens on the first port of the block, the guard, as long as it lives: no other shop of this machine can
 * come to the same block. Blocks lie below the ports that the system hands out by itself (32768 and up on Linux, 49152
 * on macOS): a client that keeps calling a port from that range while nothing listens on it ends up connected to itself.
 */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { listenFault } from '../../shared/process/listen.ts'

const FIRST_PORT = 10_240
const BLOCK_PORTS = 64
const BLOCKS = 350
const ATTEMPTS = 50

export type PortBlock = {
  readonly ports: readonly number[]
  readonly release: () => Promise<void>
}

/** The gateway cannot listen where it was asked to; the message says why. */
export class AddressError extends Error {
  override readonly name: string = 'AddressError'
}

/** The port that was asked for is taken. */
export class PortBusyError extends AddressError {
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

/** @throws PortBusyError; AddressError if the port is not for this user, or the host is not this machine. */
export const assertPortFree = async (port: number, host: string): Promise<void> => {
  try {
    await close(await listen(port, host))
  } catch (error) {
    const fault = listenFault(error, host, port)
    if (fault === undefined) throw error
    const isBusy = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    throw new (isBusy ? PortBusyError : AddressError)(fault, { cause: error })
  }
}

const areFree = async (ports: readonly number[]): Promise<boolean> => {
  const checks = await Promise.allSettled(ports.map((port) => assertPortFree(port, '0.0.0.0')))
  return checks.every(({ status }) => status === 'fulfilled')
}

const openGuard = async (port: number): Promise<Server | undefined> => {
  try {
    const server = await listen(port, '127.0.0.1')
    server.on('connection', (socket) => socket.destroy())
    return server.unref()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined
    throw error
  }
}

/** Takes a block with `count` free ports. @throws if the shop is too big, or after 50 blocks that were not free. */
export const takePorts = async (count: number): Promise<PortBlock> => {
  if (count >= BLOCK_PORTS) throw new Error(`a shop may have ${BLOCK_PORTS - 1} processes, not ${count}`)
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const first = FIRST_PORT + randomInt(BLOCKS) * BLOCK_PORTS
    const server = await openGuard(first)
    if (server === undefined) continue
    const ports = Array.from({ length: count }, (_, index) => first + 1 + index)
    if (await areFree(ports)) return { ports, release: () => close(server) }
    await close(server)
  }
  throw new Error(`no ${count} free ports were found in ${ATTEMPTS} attempts`)
}
