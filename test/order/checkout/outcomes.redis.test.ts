import test from 'ava'
import { type OutcomesOptions, openOutcomes } from '../../../order/checkout/outcomes.ts'
import type { Decision } from '../../../order/commands.ts'
import { openStore } from '../../../order/store.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { beginCart, MONEY, openCart } from '../../support/shop/cart.ts'
import { openBench, teller } from '../../support/shop/open-store.ts'

const bench = await openBench()
const store = openStore(bench.dependencies)

test.serial.beforeEach(async () => {
  await bench.redis.flushall()
  await openCart(store)
})
test.after.always(async () => bench[Symbol.asyncDispose]())

const TIMEOUT_MS = 60_000

const open = (others: Partial<OutcomesOptions['store']> = {}) => {
  const released: Decision[] = []
  const outcomes = openOutcomes({ store: { ...store, ...others }, release: (decided) => released.push(decided) })
  return { ...outcomes, released }
}
const inMs = (ms: number): number => performance.now() + ms
const stateOf = async (): Promise<string | undefined> => (await store.saga('it'))?.state

/** Resolves once nothing is under way that the outcomes have asked of the Redis: at most two questions, one after the other. */
const asked = async (): Promise<void> => {
  for (let pings = 0; pings < 4; pings += 1) await bench.redis.ping()
}
/** What a promise is now: its value, its error, or `waiting`. */
const now = <Result>(promise: Promise<Result>): Promise<Result | Error | 'waiting'> =>
  Promise.race([promise.catch((error: Error) => error), Promise.resolve('waiting' as const)])

test.serial('who has waited for half a second asks for an end that it was not told of', async (t) => {
  const outcomes = open()
  await beginCart(store)
  const end = outcomes.wait('it', inMs(TIMEOUT_MS))
  const since = performance.now()
  await teller(store.log)('payment', 'CreditCaptured', 'it', MONEY)
  outcomes.sweep(since + 400)
  await asked()
  t.is(await now(end), 'waiting', 'until then it trusts that it is told')
  outcomes.sweep(since + 501)
  t.like(await end, { id: 'it', state: 'paid' })
  t.like(outcomes.released, [{ id: 'it', order: 'cart', user: 'anna' }])
})

test.serial('a Redis that does not answer is told to those whose deadline has passed, and to no others', async (t) => {
  let isAway = true
  const away = (): Promise<never> => Promise.reject(new UnavailableError('the Redis of order does not answer'))
  const outcomes = open({ cancel: (id) => (isAway ? away() : store.cancel(id)) })
  await beginCart(store)
  const late = outcomes.wait('it', inMs(-1))
  const waiting = outcomes.wait('it', inMs(TIMEOUT_MS))
  outcomes.sweep(performance.now())
  await t.throwsAsync(late, { instanceOf: UnavailableError })
  t.is(await now(waiting), 'waiting')
  isAway = false
  const later = outcomes.wait('it', inMs(-1))
  outcomes.sweep(performance.now())
  t.like(await later, { state: 'cancelling' })
  t.like(await waiting, { state: 'cancelling' })
})

test.serial('who joins a checkout does not end it for the others when its own time is up', async (t) => {
  const outcomes = open()
  await beginCart(store)
  const first = outcomes.wait('it', inMs(TIMEOUT_MS))
  const joined = outcomes.join('it', inMs(TIMEOUT_MS / 2))
  await asked()
  outcomes.sweep(inMs(0))
  await asked()
  t.is(await stateOf(), 'checking-out')
  await teller(store.log)('payment', 'CreditCaptured', 'it', MONEY)
  outcomes.sweep(inMs(1_000))
  t.like(await first, { state: 'paid' })
  t.like(await joined, { state: 'paid' })
})

test.serial('who joins a checkout cancels it at its own deadline, where nobody else does', async (t) => {
  const outcomes = open()
  await beginCart(store, 'it', -1)
  const joined = outcomes.join('it', inMs(TIMEOUT_MS))
  await asked()
  outcomes.sweep(inMs(0))
  t.like(await joined, { state: 'cancelling' })
  t.is(await stateOf(), 'cancelling')
})

test.serial('who joins a checkout that has ended is told its end at once', async (t) => {
  await beginCart(store)
  await teller(store.log)('payment', 'CreditCaptured', 'it', MONEY)
  t.like(await open().join('it', inMs(TIMEOUT_MS)), { state: 'paid' })
})

test.serial('who joined waits on when whoever began does not know that it did', async (t) => {
  const outcomes = open()
  await beginCart(store)
  void outcomes.wait('it', inMs(TIMEOUT_MS))
  const joined = outcomes.join('it', inMs(TIMEOUT_MS))
  outcomes.forget('it')
  await asked()
  await teller(store.log)('payment', 'CreditCaptured', 'it', MONEY)
  outcomes.sweep(inMs(1_000))
  t.like(await joined, { state: 'paid' })
})
