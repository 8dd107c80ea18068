/** How a service's server keeps its connections: see `test/gateway/connections.e2e.test.ts` for the rest of it. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { Request } from '../../../shared/http/request.ts'
import { readAll } from '../../support/shop/gateway.ts'
import { openServiceServer } from '../../support/shop/service-server.ts'

type Entered = { readonly request: Request; readonly leave: () => void }

/** A server whose one request is in flight until it is let go, and a connection to it. */
const openHouse = async (
  t: ExecutionContext,
): Promise<{ socket: Socket; entered: Entered[]; entry: () => Promise<Entered> }> => {
  const entered: Entered[] = []
  let told = Promise.withResolvers<Entered>()
  const server = await openServiceServer({
    routes: [
      {
        method: 'POST',
        path: '/do/:what',
        scope: 'anybody',
        handler: async (request) => {
          const { promise, resolve } = Promise.withResolvers<void>()
          const one = { request, leave: resolve }
          entered.push(one)
          told.resolve(one)
          told = Promise.withResolvers()
          await promise
          return { text: `did ${request.parameter('what')}` }
        },
      },
    ],
  })
  const socket = connect({ port: server.port, host: '127.0.0.1' })
  t.teardown(async () => {
    socket.destroy()
    for (const { leave } of entered) leave()
    await server.close()
  })
  await once(socket, 'connect')
  return { socket, entered, entry: () => told.promise }
}

const post = (what: string, more = 'Content-Length: 0\r\n\r\n'): string =>
  `POST /do/${what} HTTP/1.1\r\nHost: localhost\r\n${more}`

test('pipelined requests enter one after the other', async (t) => {
  const { socket, entered, entry } = await openHouse(t)
  const reply = readAll(socket)
  const first = entry()
  socket.write(`${post('a')}${post('b', 'Connection: close\r\nContent-Length: 0\r\n\r\n')}`)
  const { leave } = await first
  t.is(entered.length, 1)
  const second = entry()
  leave()
  ;(await second).leave()
  t.regex(await reply, /did a[\s\S]*did b$/)
})

test('bytes that are no request never become the answer of a request that is in flight', async (t) => {
  const { socket, entry } = await openHouse(t)
  const reply = readAll(socket)
  const first = entry()
  socket.write(post('a'))
  const { request } = await first
  socket.write('what?\r\n\r\n')
  t.is(await reply, '')
  t.true(request.isGone())
})

test('a client that ends his side has gone', async (t) => {
  const { socket, entry } = await openHouse(t)
  const first = entry()
  const ended = once(socket, 'end')
  socket.resume().end(post('a'))
  const { request } = await first
  await ended
  t.true(request.isGone())
})

test('a request whose body ends midway is refused, and not done', async (t) => {
  const { socket, entered } = await openHouse(t)
  const reply = readAll(socket)
  socket.end(post('a', 'Content-Length: 5\r\n\r\n{'))
  t.regex(await reply, /^HTTP\/1\.1 400 [\s\S]*the request ended midway/)
  t.is(entered.length, 0)
})
