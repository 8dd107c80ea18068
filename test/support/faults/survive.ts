/**
 * The same for every fault: 32 customers and six savers are at it, something is done to the shop, it is mended, and then
 * all checkouts end in time, each customer has the answer that is due, none of them had to wait longer than promised, asking
 * again gives the same answer, no acknowledged write is missing or there twice, and at rest all invariants hold.
 */

import assert from 'node:assert/strict'
import type { ExecutionContext } from 'ava'
import { type Expectations, openCheckouts, proveInvariants } from '../checker/invariants.ts'
import { eventually } from '../eventually.ts'
import {
  type Crowd,
  CUSTOMERS,
  insist,
  seedOrders,
  startCrowd,
  startSaving,
  type TimedTold,
  type Wanted,
} from '../load/customers.ts'
import { inParallel } from '../load/jobs.ts'
import type { OpenShop } from '../shop/shop.ts'

export type Trial = {
  readonly orders?: number
  /** What is done to the shop once some customers have been served, and undone again: resolves when it is mended. */
  readonly disturb: () => Promise<unknown>
  /** Within this time from the mending all checkouts that were open have ended, everywhere. */
  readonly endedMs?: number
  /** How long anybody may have waited for an answer. */
  readonly answerMs?: number
  readonly expectations?: Expectations
}

const ORDERS = 200
/** The share of customers that is served before anything is done. */
const UNDISTURBED = 0.25
/** Within this time from the mending all checkouts have ended, everywhere. */
const ENDED_MS = 5_000

/** @returns every answer to every checkout. */
export const survive = async (t: ExecutionContext, opened: OpenShop, trial: Trial): Promise<readonly TimedTold[]> => {
  const { client } = opened
  const wanted = await seedOrders(client, trial.orders ?? ORDERS)
  const saver = await client.createUser()
  const saving = startSaving(client, saver)
  const crowd = startCrowd(client, wanted)
  let account: Promise<number> | undefined
  const settleAccount = (): Promise<number> => {
    account ??= saving.stop().then((saved) => {
      client.added.credit += saved
      return saved
    })
    return account
  }
  try {
    return await endure(t, opened, trial, { wanted, saver, settleAccount, crowd })
  } finally {
    // A trial that fails leaves nobody behind who would disturb the next one.
    await Promise.allSettled([settleAccount(), crowd.wronglyAnswered])
  }
}

type People = {
  readonly wanted: readonly Wanted[]
  readonly saver: string
  /** Has the savers stop, once, and writes down what they added. */
  readonly settleAccount: () => Promise<number>
  readonly crowd: Crowd
}

const endure = async (
  t: ExecutionContext,
  opened: OpenShop,
  { disturb, endedMs = ENDED_MS, answerMs, expectations = {} }: Trial,
  { wanted, saver, settleAccount, crowd }: People,
): Promise<readonly TimedTold[]> => {
  const { client } = opened
  const orders = wanted.length
  await crowd.served(orders * UNDISTURBED)
  await disturb()
  const mendedAt = performance.now()
  const sinceMending = (): number => Math.round(performance.now() - mendedAt)

  const stranded = await openCheckouts(opened)
  await eventually(async () => {
    const open = await openCheckouts(opened)
    assert.deepEqual(
      [...stranded].filter((id) => open.has(id)),
      [],
    )
  }, endedMs)
  t.log(`${stranded.size} checkouts were open at the mending; ${sinceMending()} ms later they had ended`)

  t.deepEqual(await crowd.wronglyAnswered, [])
  const told = [...crowd.told]
  const [slowest] = told.toSorted((one, other) => other.ms - one.ms)
  const slowestMs = Math.round(slowest?.ms ?? 0)
  const statuses = Object.entries(Object.groupBy(told, ({ status }) => String(status)))
  t.log(
    `${sinceMending()} ms after the mending all were answered, the slowest answer (${slowest?.status}) took ${slowestMs} ms;`,
    statuses.map(([status, all]) => `${all?.length} of ${status}`).join(', '),
  )
  if (answerMs !== undefined) t.true(slowestMs <= answerMs, `somebody waited ${slowestMs} ms`)
  const saved = await settleAccount()
  t.is(await client.credit(saver), saved)

  const again = await inParallel(orders, CUSTOMERS, (index) => insist(client, wanted[index]?.order ?? '', told))
  t.deepEqual(
    again,
    wanted.map(({ due }) => due),
    'asked again, each gets the same answer',
  )
  await proveInvariants(t, opened, { seededByClientOnly: true, ...expectations, told })
  return told
}
