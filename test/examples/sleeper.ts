/**
 * Holds the lock of an item, and adds to its stock when it is told to, whether or not it still does: `node sleeper.ts URL ITEM`. No program should:
 * this one shows that a resource which compares tokens is not harmed by it.
 */
import { once } from 'node:events'
import process from 'node:process'
import { lockClient } from '../../ids/lock/client.ts'

const [url = '', item = ''] = process.argv.slice(2)
const lock = await lockClient(url, { owner: 'sleeper', ttl: 1_000 }).acquire(`item:${item}`)
console.log(`holds ${lock.token}`)
await once(process, 'message')
const headers = { 'If-Lock-Token': String(lock.token) }
const { status } = await fetch(`${url}/stock/add/${item}/1`, { method: 'POST', headers })
console.log(`was answered ${status} and ${lock.isHeld ? 'holds it' : 'has lost it'}`)
process.disconnect()
