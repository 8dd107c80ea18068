import test from 'ava'
import { openTurns } from '../../../order/checkout/user-queue.ts'

const soon = () => performance.now() + 60_000

test('nobody waits for a turn that nobody has, and each name has its own', async (t) => {
  const turns = openTurns()
  t.is(await turns.take('anna', soon()), 'taken')
  t.is(await turns.take('bert', soon()), 'taken')
  turns.end('anna')
  t.is(await turns.take('anna', soon()), 'taken')
})

test('turns are taken in the order in which they were asked for, one at a time', async (t) => {
  const turns = openTurns()
  await turns.take('anna', soon())
  const came: number[] = []
  const all = [1, 2, 3].map((number) => turns.take('anna', soon()).then(() => came.push(number)))
  for (const [index, one] of all.entries()) {
    t.is(came.length, index)
    turns.end('anna')
    await one
  }
  t.deepEqual(came, [1, 2, 3])
  turns.end('anna')
  t.is(await turns.take('anna', soon()), 'taken')
})

test('a turn that does not come in time is none, and goes to the next', async (t) => {
  const turns = openTurns()
  await turns.take('anna', soon())
  const hasty = turns.take('anna', performance.now() + 20)
  const waiting = turns.take('anna', soon())
  t.is(await hasty, 'late')
  turns.end('anna')
  t.is(await waiting, 'taken')
})

test('when one fails, all who wait look for themselves', async (t) => {
  const turns = openTurns()
  await turns.take('anna', soon())
  const all = Promise.all([turns.take('anna', soon()), turns.take('anna', soon())])
  turns.scatter('anna')
  t.deepEqual(await all, ['scattered', 'scattered'])
  t.is(await turns.take('anna', soon()), 'taken')
})
