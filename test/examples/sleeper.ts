/**
 * Holds the lock of an item, and adds to its stock when it is woken, whether or not it still does: `node sleeper.ts URL ITEM`. No
 * program should: this one shows that a resource which compares tokens is not harmed by it.
 *
 * Ctrl-Z has it sleep, and `fg` wakes it (SIGSTOP, SIGCONT). Its lease lasts for a second; what another program did under the
 * lock meanwhile, and showed its token for, is not overwritten.
 */
import { once } from 'node:events'
import process from 'node:process'
import { lockClient } from '../../ids/lock/client.ts'

const [url, item] = process.argv.slice(2)
if (url === undefined || item === undefined) {
  console.error('usage: node sleeper.ts URL ITEM')
  process.exit(2)
}
await using lock = await lockClient(url, { owner: 'sleeper', ttl: 1_000 }).acquire(`item:${item}`)
const woken = once(process, 'SIGCONT')
// A process that only waits for a signal would end.
const waiting = setInterval(() => undefined, 1_000)
console.log(`holds ${lock.token}`)
await woken
clearInterval(waiting)
const headers = { 'If-Lock-Token': String(lock.token) }
const { status } = await fetch(`${url}/stock/add/${item}/1`, { method: 'POST', headers })
console.log(`was answered ${status} and ${lock.isHeld ? 'holds it' : 'has lost it'}`)
