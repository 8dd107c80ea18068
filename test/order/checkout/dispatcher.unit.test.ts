import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import type { Submitted } from '../../../order/checkout/dispatcher.ts'
import { openDispatcher } from '../../../order/checkout/dispatcher.ts'
import type { Outcome } from '../../../order/order.ts'
import type { WaitingCheckout } from '../../../order/store/checkout-status.ts'
import { UnavailableError } from '../../../shared/errors.ts'

const PAID: Outcome = { state: 'paid', logId: 'it' }
const submitted = (id: string, deadline = Number.POSITIVE_INFINITY): Submitted => ({
  id,
  order: `order-${id}`,
  deadline,
})

type Begun = { readonly id: string; readonly end: (outcome: Outcome | Error) => void }

/** A dispatcher whose checkouts end when the test wants it. */
const open = ({ most = 100, left = [] }: { most?: number; left?: readonly WaitingCheckout[] } = {}) => {
  const begun: Begun[] = []
  const stopping = new AbortController()
  const dispatcher = openDispatcher({
    store: { oldestSubmitted: async () => left },
    begin: ({ id }) =>
      new Promise((resolve, reject) => {
        begun.push({ id, end: (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)) })
      }),
    most,
    shutdown: stopping.signal,
  })
  const ids = (): readonly string[] => begun.map(({ id }) => id)
  const end = async (at: number, outcome: Outcome | Error = PAID): Promise<void> => {
    begun[at]?.end(outcome)
    await turn()
  }
  return { dispatcher, ids, end, stop: () => stopping.abort() }
}

test('begins at once what is submitted, once, and knows it no more when it has ended', async (t) => {
  const { dispatcher, ids, end } = open()
  t.true(dispatcher.offer(submitted('one')))
  t.false(dispatcher.offer(submitted('one')))
  t.deepEqual(ids(), ['one'])
  await end(0)
  t.true(dispatcher.offer(submitted('one')))
})

test('has so many in hand at once, and takes the oldest next', async (t) => {
  const { dispatcher, ids, end } = open({ most: 70 })
  const names = Array.from({ length: 71 }, (_, index) => `number-${index}`)
  t.deepEqual(
    names.filter((name) => !dispatcher.offer(submitted(name))),
    ['number-70'],
    'no more wait than may',
  )
  t.deepEqual(ids(), names.slice(0, 64))
  await end(7)
  await end(3)
  t.deepEqual(ids(), names.slice(0, 66))
})

for (const outcome of [{ state: 'locked' }, { state: 'overloaded' }, new UnavailableError('no quorum')] as const)
  test(`what was not begun is tried again a moment later: ${'state' in outcome ? outcome.state : outcome.name}`, async (t) => {
    const { dispatcher, ids, end } = open()
    dispatcher.offer(submitted('one'))
    await end(0, outcome)
    t.false(dispatcher.offer(submitted('one')), 'it is known still')
    dispatcher.sweep(performance.now())
    t.deepEqual(ids(), ['one'])
    dispatcher.sweep(performance.now() + 1_000)
    t.deepEqual(ids(), ['one', 'one'])
    await end(1)
    dispatcher.sweep(performance.now() + 2_000)
    t.deepEqual(ids(), ['one', 'one'])
  })

test('what is past its deadline is left to the log parser', async (t) => {
  const { dispatcher, ids, end } = open()
  dispatcher.offer(submitted('one', performance.now() + 100))
  await end(0, { state: 'locked' })
  dispatcher.sweep(performance.now() + 1_000)
  t.deepEqual(ids(), ['one'])
  t.true(dispatcher.offer(submitted('one')), 'and is forgotten here')
})

test('one that has nothing to do begins what waits elsewhere for long, while there is time', async (t) => {
  const left = [
    { id: 'left', order: 'cart', leftMs: 1_000 },
    { id: 'late', order: 'trolley', leftMs: 0 },
  ]
  const { dispatcher, ids } = open({ left })
  dispatcher.sweep(performance.now())
  await turn()
  t.deepEqual(ids(), ['left'])
  dispatcher.sweep(performance.now() + 1_000)
  await turn()
  t.deepEqual(ids(), ['left'], 'it is in hand')
})

test('begins nothing more once the process is to end', async (t) => {
  const { dispatcher, ids, end, stop } = open({ left: [{ id: 'left', order: 'cart', leftMs: 1_000 }] })
  dispatcher.offer(submitted('one'))
  stop()
  dispatcher.offer(submitted('two'))
  await end(0, { state: 'locked' })
  dispatcher.sweep(performance.now() + 1_000)
  await turn()
  assert.deepEqual(ids(), ['one'])
  t.pass()
})
