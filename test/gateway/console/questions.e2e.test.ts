/** How often services are asked how they stand, however slow they are and however often consoles come and go. */
import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import pino from 'pino'
import { openQuestions } from '../../../gateway/console/questions.ts'
import { ReplicaSet, systemLookup } from '../../../gateway/proxy/replica-set.ts'
import { openStep } from '../../../shared/process/step.ts'
import { eventually } from '../../support/eventually.ts'
import { openUpstreams } from '../../support/shop/gateway.ts'
import { answer, hang } from '../../support/shop/upstream.ts'

const NONE = () => undefined
/** Timers may be this much early. */
const EARLY_MS = 20

/** A replica of order that is ready, and what the gateway asks it, each time when. */
const openOrder = async (t: ExecutionContext) => {
  const [upstream] = await openUpstreams(t, 1)
  assert.ok(upstream)
  const step = openStep('gateway')
  const order = new ReplicaSet({
    name: 'order',
    origins: [upstream.origin],
    timeoutMs: 20_000,
    waitingMax: 100,
    lookup: systemLookup,
    step,
    changed: NONE,
    log: pino({ level: 'silent' }),
  })
  order.start()
  t.teardown(() => order.destroy())
  await upstream.settled()
  const answered = new Map<string, number>()
  const ask = openQuestions({
    services: new Map([['order', order]]),
    borne: () => [],
    step,
    onAnswer: (name) => answered.set(name, (answered.get(name) ?? 0) + 1),
  })
  const count = (path: string): number => upstream.received.filter(({ url }) => url === path).length
  /** Asks until it is told to leave. */
  const look = () => {
    const leaving = new AbortController()
    t.teardown(() => leaving.abort())
    void ask(leaving.signal)
    return { leave: () => leaving.abort() }
  }
  return { upstream, answered, count, look }
}

/** No more often than once each so many ms. */
const atMost = (sinceMs: number, everyMs: number): number =>
  1 + Math.floor((performance.now() - sinceMs + EARLY_MS) / everyMs)

/**
 * Asks until there are so many pauses after answers to each of these paths.
 * @param tookMs how long the first, the second and so on of its answers take; the last of them stands for those after it
 */
const pausesOf = async <Path extends string>(
  { upstream, look }: Awaited<ReturnType<typeof openOrder>>,
  tookMs: Readonly<Record<Path, readonly number[]>>,
  most: number,
): Promise<Readonly<Record<Path, readonly number[]>>> => {
  const paths = Object.keys(tookMs) as Path[]
  const pausesMs = Object.fromEntries(paths.map((path) => [path, []])) as unknown as Record<Path, number[]>
  const answeredAt = new Map<string, number>()
  const times = new Map<string, number>()
  upstream.behave = (response, received) => {
    const path = paths.find((one) => one === received.url)
    if (path === undefined) return answer('{}')(response, received)
    const [before, time] = [answeredAt.get(path), times.get(path) ?? 0]
    times.set(path, time + 1)
    if (before !== undefined) pausesMs[path].push(performance.now() - before)
    setTimeout(() => {
      answeredAt.set(path, performance.now())
      answer('{}')(response, received)
    }, tookMs[path][time] ?? tookMs[path].at(-1))
  }
  look()
  await eventually(async () => assert.ok(paths.every((path) => pausesMs[path].length >= most)), 80_000)
  return pausesMs
}
/** A machine that has much else to do asks later than it would. */
const BUSY_MS = 2_000
const isAbout = (t: ExecutionContext, pauseMs: number | undefined, wantedMs: number): void => {
  t.true(Number(pauseMs) >= wantedMs - EARLY_MS && Number(pauseMs) <= wantedMs + BUSY_MS, `${pauseMs} of ${wantedMs}`)
}

test('what takes long three times is asked again after twenty times as long; what has an end, after five seconds at most', async (t) => {
  const [few, little, audit] = ['/orders/unfinished', '/orders/contradictions', '/audit'] as const
  const pausesMs = await pausesOf(await openOrder(t), { [few]: [150], [little]: [400], [audit]: [400] }, 3)
  for (const [path, wantedMs] of [
    [few, [1_000, 1_000, 3_000]],
    [little, [2_000, 2_000, 5_000]],
    [audit, [5_000, 5_000, 8_000]],
  ] as const)
    for (const [at, pauseMs] of wantedMs.entries()) isAbout(t, pausesMs[path][at], pauseMs)
})

test('after one answer that has waited the next one is asked for soon', async (t) => {
  const path = '/orders/unfinished'
  const pausesMs = await pausesOf(await openOrder(t), { [path]: [0, 0, 3_000, 0] }, 4)
  for (const [at, pauseMs] of [1_000, 1_000, 3_000, 1_000].entries()) isAbout(t, pausesMs[path][at], pauseMs)
})

test('after an answer that failed the next one is asked for soon', async (t) => {
  const shop = await openOrder(t)
  const askedAt: number[] = []
  shop.upstream.behave = (response, received) => {
    if (received.url !== '/orders/unfinished') return answer('{}')(response, received)
    askedAt.push(performance.now())
    setTimeout(() => response.writeHead(503).end(), 500)
  }
  shop.look()
  await eventually(async () => assert.ok(askedAt.length >= 5), 60_000)
  for (const at of [1, 2, 3, 4]) isAbout(t, Number(askedAt[at]) - Number(askedAt[at - 1]) - 500, 1_000)
})

test('what is answered at once is asked again at its own pace', async (t) => {
  const { upstream, answered, count, look } = await openOrder(t)
  upstream.behave = answer('{}')
  const begun = performance.now()
  look()
  await eventually(async () => assert.ok((answered.get('unfinished.order') ?? 0) >= 2), 60_000)
  t.true(performance.now() - begun >= 1_000 - EARLY_MS)
  t.true(count('/audit') <= atMost(begun, 5_000))
  t.true(count('/orders/contradictions') <= atMost(begun, 2_000))
})

test('however often consoles come and go, nothing is asked more often', async (t) => {
  const { upstream, answered, count, look } = await openOrder(t)
  upstream.behave = answer('{}')
  const begun = performance.now()
  const first = look()
  await eventually(async () => assert.ok(answered.has('audit') && answered.has('unfinished.order')), 60_000)
  first.leave()
  for (let come = 0; come < 50; come += 1) {
    const { leave } = look()
    await nextTurn()
    leave()
    await nextTurn()
  }
  await upstream.polled()
  t.true(count('/audit') <= atMost(begun, 5_000), `${count('/audit')}`)
  t.true(count('/orders/unfinished') <= atMost(begun, 1_000), `${count('/orders/unfinished')}`)
})

test('who comes while an answer is under way does not have it asked again', async (t) => {
  const { upstream, count, look } = await openOrder(t)
  upstream.behave = hang
  const begun = performance.now()
  const first = look()
  await eventually(async () => assert.equal(count('/audit'), 1), 60_000)
  first.leave()
  look()
  await upstream.settled()
  t.true(count('/audit') <= atMost(begun, 5_000), `${count('/audit')}`)
})
