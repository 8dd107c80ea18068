/** Stands for an election until it leads, says so, and leads until it is told to stop (SIGTERM): `node lead.ts URL ELECTION NAME`. */
import process from 'node:process'
import { setTimeout as after } from 'node:timers/promises'
import { lockClient } from '../../ids/lock/client.ts'

const [url = '', election = '', name = ''] = process.argv.slice(2)
const stopping = new AbortController()
process.once('SIGTERM', () => stopping.abort())

console.log(`${name} stands`)
await lockClient(url)
  .election(election)
  .campaign({ value: name, ttl: 2_000 }, async ({ term, signal }) => {
    console.log(`${name} leads in term ${term}`)
    while (!stopping.signal.aborted) {
      // Whatever a leader does again and again; it stops when it leads no more.
      signal.throwIfAborted()
      await after(50)
    }
    console.log(`${name} resigns`)
  })
