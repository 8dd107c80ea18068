/** No two programs believe at one moment that they hold a lock, whatever the network between them and two replicas of the service does. */
import process from 'node:process'
import test from 'ava'
import { LockTimeoutError, LockUnavailableError } from '../../../ids/lock/client/errors.ts'
import type { Lock } from '../../../ids/lock/client/held-lock.ts'
import { lockClient } from '../../../ids/lock/client.ts'
import { away } from '../../support/eventually.ts'
import { type Link, openFabric } from '../../support/faults/proxy.ts'
import { openLockReplica } from '../../support/lock-replica.ts'
import { openBench } from '../../support/shop/open-store.ts'

const bench = await openBench()
const replicas = [await openLockReplica(bench), await openLockReplica(bench)] as const
const fabric = openFabric()
test.after.always(async () => {
  await fabric.close()
  await Promise.all(replicas.map(({ close }) => close()))
  await bench[Symbol.asyncDispose]()
})

const TTL_MS = 1_500
/** The run ends when there were so many beliefs, or after a while. */
const BELIEFS = process.env.FAULTS === 'full' ? 100 : 6
const RUN_MS = 3 * TTL_MS * BELIEFS
const PROGRAMS = 6
const LOOK_EVERY_MS = 10

/** From when to when a program believed that it holds the lock, of `performance.now()`. */
type Belief = { readonly token: number; readonly from: number; until: number }

const openProgram = async (at: number) => {
  const { url } = replicas[at % replicas.length] ?? replicas[0]
  const to = `replica-${at}`
  const far = lockClient(await fabric.route({ from: 'program', to, url }), { ttl: TTL_MS, retry: { forMs: TTL_MS } })
  return { far, link: fabric.link('program', to) }
}

const acquired = async (acquire: () => Promise<Lock>): Promise<Lock | undefined> => {
  try {
    return await acquire()
  } catch (error) {
    if (error instanceof LockTimeoutError || error instanceof LockUnavailableError) return undefined
    throw error
  }
}

/** Believes for so long, or for as long as it may. */
const believe = async (lock: Lock, forMs: number): Promise<Belief> => {
  const from = performance.now()
  const belief: Belief = { token: lock.token, from, until: from }
  for (;;) {
    const now = performance.now()
    const { remainingMs } = lock
    if (remainingMs === 0 || now - from >= forMs) {
      belief.until = Math.min(now, belief.until)
      return belief
    }
    belief.until = now + remainingMs
    await away(LOOK_EVERY_MS)
  }
}

const harms = [
  (link: Link): void => link.suffer({ does: 'black-hole', towards: 'both' }),
  (link: Link): void => link.suffer({ does: 'refuse' }),
  (link: Link): void => link.suffer({ does: 'delay', ms: TTL_MS / 4 }),
  (link: Link): void => link.suffer({ does: 'lose-reply', command: /PUT|PATCH|DELETE/, times: 1 }),
]

test.serial('beliefs never overlap, and tokens rise with them', async (t) => {
  t.timeout(2 * RUN_MS)
  const beliefs: Belief[] = []
  const until = performance.now() + RUN_MS
  const isOver = (): boolean => beliefs.length >= BELIEFS || performance.now() >= until
  const run = async (at: number): Promise<void> => {
    const { far, link } = await openProgram(at)
    for (let turn = at; !isOver(); turn += 1) {
      const lock = await acquired(() => far.acquire('hot', { wait: 2 * TTL_MS }))
      if (lock === undefined) continue
      harms[turn % (2 * harms.length)]?.(link)
      beliefs.push(await believe(lock, TTL_MS / 4 + (turn % 3) * (TTL_MS / 2)))
      const released = acquired(() => lock.release().then(() => lock))
      link.heal()
      await released
    }
  }
  await Promise.all(Array.from({ length: PROGRAMS }, (_, at) => run(at)))
  const inOrder = beliefs.toSorted((one, other) => one.token - other.token)
  t.true(inOrder.length > 1, `${inOrder.length}`)
  for (const [at, { from, token }] of inOrder.entries()) {
    const before = inOrder[at - 1]
    if (before === undefined) continue
    t.true(token > before.token)
    t.true(from >= before.until, `${token} from ${from}, but ${before.token} until ${before.until}`)
  }
})

test.serial('a belief that counted from the answer would overlap with the next one', async (t) => {
  const { far, link } = await openProgram(PROGRAMS)
  const { far: near } = await openProgram(PROGRAMS + 1)
  const ttl = 3 * TTL_MS
  link.suffer({ does: 'delay', ms: TTL_MS })
  const lock = await far.acquire('cold', { ttl })
  const answeredAt = performance.now()
  const belief = believe(lock, 2 * ttl)
  link.suffer({ does: 'black-hole', towards: 'both' })
  const next = await near.acquire('cold', { wait: 4 * ttl })
  const gotAt = performance.now()
  const { until } = await belief
  link.heal()
  t.true(gotAt >= until, 'it counts from before it asked')
  t.true(gotAt < answeredAt + ttl, 'from the answer it would have believed that it still holds it')
  await next.release()
})
