import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { type Linger, openLinger } from '../../../order/checkout/linger.ts'

const FEW = 6

/** A linger of which a few have started. */
const open = (): Linger => {
  const linger = openLinger()
  for (let n = 0; n < FEW; n += 1) linger.join()
  return linger
}

test('where few are under way nobody waits', (t) => {
  const linger = openLinger()
  for (let n = 0; n < FEW; n += 1) t.is(linger.join(), undefined)
  t.not(linger.join(), undefined)
})

test('who is over makes room', (t) => {
  const linger = open()
  linger.over()
  t.is(linger.join(), undefined)
})

test('as soon as enough have met they go, and who comes after them waits for others', async (t) => {
  const linger = open()
  let gone = 0
  const come = () => linger.join()?.then(() => gone++)
  for (let n = 0; n < 7; n += 1) void come()
  await turn()
  t.is(gone, 0)
  void come()
  await turn()
  t.is(gone, 8)
  const next = come()
  await turn()
  t.is(gone, 8)
  await next
  t.is(gone, 9)
})

test('who meets too few goes after some milliseconds, and all who came meanwhile do', async (t) => {
  const linger = open()
  const startedAt = performance.now()
  await Promise.all([linger.join(), linger.join(), linger.join()])
  t.true(performance.now() - startedAt >= 7)
})
