import test from 'ava'
import { type Limit, look, openClients } from '../../../gateway/limits/buckets.ts'

/** Ten at once, and one each 100 ms. */
const limit: Limit = { burst: 10, intervalMs: 100 }

test('a full bucket gives all its tokens at once, and then one whenever one has come', (t) => {
  let fullAtMs = 0
  const take = (nowMs: number, count = 1) => {
    const taken = look(fullAtMs, limit, count, nowMs)
    fullAtMs = nowMs + taken.fullInMs
    return taken
  }
  for (let left = 9; left >= 0; left -= 1) t.like(take(1_000), { isGiven: true, left })
  t.deepEqual(take(1_000), { isGiven: false, left: 0, fullInMs: 1_000, waitMs: 100 })
  t.like(take(1_099), { isGiven: false, waitMs: 1 }, 'the refused one took nothing')
  t.like(take(1_100), { isGiven: true, left: 0, waitMs: 0 })
  t.like(take(1_100), { isGiven: false, waitMs: 100 })
  t.like(take(9_000), { isGiven: true, left: 9 }, 'a bucket holds no more than its burst')
})

test('what wants more tokens than a bucket holds never gets them', (t) => {
  t.deepEqual(look(0, limit, 11, 5_000), {
    isGiven: false,
    left: 10,
    fullInMs: 0,
    waitMs: Number.POSITIVE_INFINITY,
  })
  t.like(look(0, limit, 10, 5_000), { isGiven: true, left: 0 })
})

test('however many clients there are, so many are known, and those whose buckets are not full are remembered', (t) => {
  const clients = openClients(['reads', 'commands'], 100)
  const busy = clients.of('busy', 0)
  busy.commands = 1_000_000
  for (let at = 0; at < 10_000; at += 1) clients.of(`client ${at}`, at)
  t.is(clients.size(), 100)
  t.is(clients.of('busy', 10_000), busy)
})

test('where no bucket is full, some client is forgotten all the same', (t) => {
  const clients = openClients(['reads'], 100)
  for (let at = 0; at < 10_000; at += 1) clients.of(`client ${at}`, 0).reads = 1_000_000
  t.is(clients.size(), 100)
  t.is(clients.of('client 9999', 0).reads, 1_000_000)
})
