/**
 * Pays one bill, however many processes are told to: `node pay-once.ts URL USER AMOUNT BILL`, where the bill is a file that is
 * there once it is paid.
 *
 * Whoever comes first holds the lock of the bill, sees that it is not paid, pays it, and notes that; the others wait, and see
 * that it is. The payment bears the token, so one that slept until its lease had ended pays nothing; and the bill as its key, so
 * one that was begun by a process which died is not paid once more by the next.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import process from 'node:process'
import { lockClient } from '../../ids/lock/client.ts'

const [url, user, amount, bill] = process.argv.slice(2)
if (url === undefined || user === undefined || amount === undefined || bill === undefined) {
  console.error('usage: node pay-once.ts URL USER AMOUNT BILL')
  process.exit(2)
}
const name = basename(bill)
const locks = lockClient(url, { owner: `payer-${process.pid}`, wait: 30_000 })

const pay = async (token: number, signal: AbortSignal): Promise<void> => {
  const response = await fetch(`${url}/payment/pay/${user}/${amount}`, {
    method: 'POST',
    headers: { 'If-Lock-Token': String(token), 'Idempotency-Key': `pay-${name}` },
    signal,
  })
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
}

const did = await locks.withLock(`bill:${name}`, {}, async ({ token, signal }) => {
  if (existsSync(bill)) return 'it was paid'
  await pay(token, signal)
  writeFileSync(bill, `paid under the token ${token}\n`)
  return 'paid it'
})
console.log(did)
