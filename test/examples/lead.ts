/**
 * Stands for an election until it leads, says so, and leads, until it is told to stop (SIGTERM, Ctrl-C): `node lead.ts URL
 * ELECTION NAME`.
 */
import process from 'node:process'
import { setTimeout as after } from 'node:timers/promises'
import { lockClient } from '../../ids/lock/client.ts'

const [url, election, name] = process.argv.slice(2)
if (url === undefined || election === undefined || name === undefined) {
  console.error('usage: node lead.ts URL ELECTION NAME')
  process.exit(2)
}
const stopping = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => stopping.abort())

const lead = async ({ term, signal }: { readonly term: number; readonly signal: AbortSignal }): Promise<void> => {
  console.log(`${name} leads in term ${term}`)
  while (!stopping.signal.aborted) {
    // Whatever a leader does again and again; it stops when it leads no more.
    signal.throwIfAborted()
    await after(50)
  }
  console.log(`${name} resigns`)
}

console.log(`${name} stands`)
try {
  await lockClient(url).election(election).campaign({ value: name, ttl: 2_000, signal: stopping.signal }, lead)
} catch (error) {
  if (error !== stopping.signal.reason) throw error
  console.log(`${name} stands no more`)
}
