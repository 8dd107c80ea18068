/** Events as the client reads them from a stream, however that is cut into pieces. */
import { Readable } from 'node:stream'
import test from 'ava'
import { eventsIn, type LockEvent } from '../../../ids/lock/client/reading.ts'

const STREAM = [
  ': a comment\n\n',
  'id: 7-0\nevent: granted\ndata: {"name":"ü",\ndata: "token":7}\n\n',
  'event: released\r\nid:8-0\r\ndata:{}\r\n\r\n',
  'data: {"half":',
].join('')

const eventsOf = async (pieces: readonly Uint8Array[]): Promise<readonly LockEvent[]> => {
  const events: LockEvent[] = []
  for await (const event of eventsIn(Readable.from(pieces))) events.push(event)
  return events
}

test('events are read whole, and what is no event is passed over', async (t) => {
  const bytes = new TextEncoder().encode(STREAM)
  const expected = [
    { id: '7-0', event: 'granted', data: { name: 'ü', token: 7 } },
    { id: '8-0', event: 'released', data: {} },
  ]
  t.deepEqual(await eventsOf([bytes]), expected)
  t.deepEqual(await eventsOf([...bytes].map((byte) => Uint8Array.of(byte))), expected)
})
