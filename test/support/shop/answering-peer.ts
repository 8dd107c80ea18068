/** A peer that gives the same answer to whatever it is asked. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import { type Peer, peer } from '../../../shared/http/client.ts'
import { openStep } from '../../../shared/process/step.ts'

export type AnsweringPeer = {
  readonly origin: string
  readonly peer: Peer
  /** What it was asked: `POST /path?query`. */
  readonly asked: readonly string[]
}

export const answeringPeer = async (t: ExecutionContext, status: number, body: unknown): Promise<AnsweringPeer> => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' })
    response.end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin, peer: peer(openStep('test'), 'peer', [origin]), asked }
}
