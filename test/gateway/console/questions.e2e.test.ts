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

test('nobody asks again for twenty times as long as an answer took', async (t) => {
  const { upstream, count, look } = await openOrder(t)
  const TOOK_MS = 150
  let answeredAt = 0
  let pauseMs: number | undefined
  upstream.behave = (response, received) => {
    if (received.url !== '/orders/unfinished') return answer('{}')(response, received)
    if (answeredAt > 0) pauseMs ??= performance.now() - answeredAt
    setTimeout(() => {
      answeredAt ||= performance.now()
      answer('{}')(response, received)
    }, TOOK_MS)
  }
  look()
  await eventually(async () => assert.ok(pauseMs !== undefined), 60_000)
  t.true(Number(pauseMs) >= 20 * (TOOK_MS - EARLY_MS), `${pauseMs}`)
  t.is(count('/orders/unfinished'), 2)
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
