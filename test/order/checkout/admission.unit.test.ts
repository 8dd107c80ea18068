import { setTimeout as after } from 'node:timers/promises'
import test from 'ava'
import { admission } from '../../../order/checkout/admission.ts'

const FOREVER_MS = 60_000
const soon = () => after(0, undefined)

test('there are as many slots as may be under way at once, and a slot given back is given out again', (t) => {
  const { enter, leave } = admission({ most: 2, targetMs: 100, timeoutMs: FOREVER_MS })
  t.deepEqual([enter(), enter()], [true, true])
  leave()
  t.true(enter())
})

test('who finds no slot waits, and the first to come is the first to get one', async (t) => {
  const { enter, leave } = admission({ most: 1, targetMs: 100, timeoutMs: FOREVER_MS })
  t.true(enter())
  const got: string[] = []
  const wait = async (who: string): Promise<void> => {
    if (await enter()) got.push(who)
  }
  const all = [wait('first'), wait('second'), wait('third')]
  await soon()
  t.deepEqual(got, [])
  for (const expected of [['first'], ['first', 'second'], ['first', 'second', 'third']]) {
    leave()
    await soon()
    t.deepEqual(got, expected)
  }
  await Promise.all(all)
})

test('who waits in vain is told so after the timeout, and takes no slot', async (t) => {
  const { enter, leave } = admission({ most: 1, targetMs: 100, timeoutMs: 50 })
  t.true(enter())
  const startedAt = performance.now()
  t.deepEqual(await Promise.all([enter(), enter()]), [false, false])
  const waitedMs = performance.now() - startedAt
  t.true(waitedMs >= 49 && waitedMs < 1_000, `waited ${waitedMs} ms`)
  leave()
  t.true(enter())
})

test('a bounded number waits: one more is told at once', async (t) => {
  const { enter } = admission({ most: 1, targetMs: 100, timeoutMs: 1_000 })
  t.true(enter())
  const waiting = Array.from({ length: 2_048 }, () => enter())
  t.false(enter())
  t.true((await Promise.all(waiting)).every((admitted) => !admitted))
})

test('slots become fewer while checkouts take longer than the target, never none, and more again when they do not', async (t) => {
  const { enter, leave } = admission({ most: 64, targetMs: 100, timeoutMs: 1 })
  const fill = async (): Promise<number> => {
    let taken = 0
    while (await enter()) taken += 1
    for (let i = 0; i < taken; i++) leave()
    return taken
  }
  const end = (tookMs: number): void => {
    t.true(enter())
    leave(tookMs)
  }
  t.is(await fill(), 64)
  for (let i = 0; i < 20; i++) end(101)
  t.is(await fill(), 44)
  for (let i = 0; i < 100; i++) end(10_000)
  t.is(await fill(), 8)
  for (let i = 0; i < 10; i++) end(100)
  t.is(await fill(), 18)
  for (let i = 0; i < 100; i++) end(5)
  t.is(await fill(), 64)
})

test('what was not begun says nothing of how fast the shop is', async (t) => {
  const { enter, leave } = admission({ most: 64, targetMs: 100, timeoutMs: 1 })
  t.true(enter())
  leave(500)
  for (let i = 0; i < 10; i++) {
    t.true(enter())
    leave()
  }
  let taken = 0
  while (await enter()) taken += 1
  t.is(taken, 63)
})
