import test from 'ava'
import { openUserQueue } from '../../../order/checkout/user-queue.ts'

const soon = () => performance.now() + 60_000

test('nobody waits for a turn that nobody has, and each name has its own', async (t) => {
  const userQueue = openUserQueue()
  t.is(await userQueue.take('anna', soon()), 'taken')
  t.is(await userQueue.take('bert', soon()), 'taken')
  userQueue.end('anna')
  t.is(await userQueue.take('anna', soon()), 'taken')
})

test('turns are taken in the order in which they were asked for, one at a time', async (t) => {
  const userQueue = openUserQueue()
  await userQueue.take('anna', soon())
  const came: number[] = []
  const all = [1, 2, 3].map((number) => userQueue.take('anna', soon()).then(() => came.push(number)))
  for (const [index, one] of all.entries()) {
    t.is(came.length, index)
    userQueue.end('anna')
    await one
  }
  t.deepEqual(came, [1, 2, 3])
  userQueue.end('anna')
  t.is(await userQueue.take('anna', soon()), 'taken')
})

test('a turn that does not come in time is none, and goes to the next', async (t) => {
  const userQueue = openUserQueue()
  await userQueue.take('anna', soon())
  const hasty = userQueue.take('anna', performance.now() + 20)
  const waiting = userQueue.take('anna', soon())
  t.is(await hasty, 'late')
  userQueue.end('anna')
  t.is(await waiting, 'taken')
})

test('when one fails, all who wait look for themselves', async (t) => {
  const userQueue = openUserQueue()
  await userQueue.take('anna', soon())
  const all = Promise.all([userQueue.take('anna', soon()), userQueue.take('anna', soon())])
  userQueue.scatter('anna')
  t.deepEqual(await all, ['scattered', 'scattered'])
  t.is(await userQueue.take('anna', soon()), 'taken')
})
