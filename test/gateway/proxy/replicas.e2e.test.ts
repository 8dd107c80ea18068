import type { LookupAddress } from 'node:dns'
import test, { type ExecutionContext } from 'ava'
import pino from 'pino'
import { type Carried, Replica } from '../../../gateway/proxy/replica.ts'
import { openStep } from '../../../shared/process/step.ts'
import { openReplicas, openShop, openUpstreams } from '../../support/shop/gateway.ts'
import { answer, openUpstream, type Upstream } from '../../support/shop/upstream.ts'

const at = (...addresses: string[]): LookupAddress[] => addresses.map((address) => ({ address, family: 4 }))

/** Two replicas of one port at two addresses of this machine, as containers of one service are. */
const openScaled = async (t: ExecutionContext): Promise<[Upstream, Upstream]> => {
  const first = await openUpstream('127.0.0.1')
  const second = await openUpstream('127.0.0.2', first.port)
  first.behave = answer('first')
  second.behave = answer('second')
  t.teardown(() => Promise.all([first.refuse(), second.refuse()]))
  return [first, second]
}

test('a host name is all its addresses, looked up again and again', async (t) => {
  const [first, second] = await openScaled(t)
  let addresses = at('127.0.0.1')
  const asked: string[] = []
  const { ask } = await openShop(t, {
    origins: { order: [`http://order:${first.port}`] },
    lookup: async (hostname) => {
      asked.push(hostname)
      return addresses
    },
  })
  t.is((await ask('GET', '/orders/find/7')).text, 'first')

  addresses = at('127.0.0.1', '127.0.0.2')
  await second.polled()
  const both = new Set<string>()
  while (both.size < 2) both.add((await ask('GET', '/orders/find/7')).text)
  t.deepEqual([...both].sort(), ['first', 'second'])

  addresses = at('127.0.0.2')
  while ((await ask('GET', '/orders/find/7')).text === 'first' || (await ask('GET', '/orders/find/7')).text === 'first')
    await second.polled()
  const polls = first.polls
  await second.settled()
  t.is(first.polls, polls, 'an address that is gone is still polled')
  t.deepEqual([...new Set(asked)], ['order'])
})

test('what a replica carries is sent elsewhere when that is silent, though no name leads to it any more', async (t) => {
  const [first] = await openScaled(t)
  let addresses = at('127.0.0.1')
  const { ask } = await openShop(t, {
    timeoutMs: 60_000,
    origins: { order: [`http://order:${first.port}`] },
    lookup: async () => addresses,
  })
  first.behave = () => undefined
  const arrived = first.arrival()
  const asked = ask('GET', '/orders/find/7')
  await arrived
  first.freeze()
  addresses = at('127.0.0.2')
  t.is((await asked).text, 'second')
})

test('a name that cannot be looked up at first is found later, and one that was found is kept when a look-up fails', async (t) => {
  const [upstream] = (await openUpstreams(t, 1)) as [Upstream]
  let lookups = 0
  const { ask } = await openShop(t, {
    waitMs: 10_000,
    origins: { stock: [`http://stock:${upstream.port}`] },
    lookup: async () => {
      lookups += 1
      if (lookups !== 2) throw Object.assign(new Error('getaddrinfo ENOTFOUND stock'), { code: 'ENOTFOUND' })
      return at('127.0.0.1')
    },
  })
  t.is((await ask('GET', '/stock/find/7')).status, 200)
  while (lookups < 3) await upstream.polled()
  t.is((await ask('GET', '/stock/find/7')).status, 200)
})

test('the real look-up finds this machine by its name', async (t) => {
  const [upstream] = (await openUpstreams(t, 1)) as [Upstream]
  const { ask } = await openShop(t, { origins: { ids: [`http://localhost:${upstream.port}`] } })
  t.is((await ask('GET', '/ids/create')).status, 200)
})

test('requests are spread evenly over the ready replicas', async (t) => {
  const { ask, upstreams, settled } = await openReplicas(t, 3)
  await settled()

  for (let i = 0; i < 30; i++) await ask('GET', '/orders/find/7')
  t.deepEqual(
    upstreams.map(({ received }) => received.length),
    [10, 10, 10],
  )
})

test('a replica with requests in flight is given fewer than an idle one', async (t) => {
  const [slow, quick] = (await openUpstreams(t, 2)) as [Upstream, Upstream]
  slow.behave = () => undefined
  const { ask } = await openShop(t, { timeoutMs: 60_000, origins: { order: [slow.origin, quick.origin] } })
  await Promise.all([slow.settled(), quick.settled()])

  const arrived = slow.arrival()
  const stuck = [ask('GET', '/orders/a'), ask('GET', '/orders/b')]
  await arrived
  for (let i = 0; i < 10; i++) t.is((await ask('GET', '/orders/find/7')).status, 200)
  t.is(slow.received.length, 1)
  await slow.refuse()
  await Promise.all(stuck)
})

test('a replica that says it is not ready gets nothing while another is ready', async (t) => {
  const [a, b] = (await openUpstreams(t, 2)) as [Upstream, Upstream]
  b.condition = 'not ready'
  const { ask } = await openShop(t, { origins: { order: [a.origin, b.origin] } })
  await Promise.all([a.settled(), b.settled()])
  for (let i = 0; i < 6; i++) await ask('GET', '/orders/find/7')
  t.deepEqual([a.received.length, b.received.length], [6, 0])

  a.condition = 'draining'
  b.condition = 'ready'
  await Promise.all([a.settled(), b.settled()])
  for (let i = 0; i < 6; i++) await ask('GET', '/orders/find/7')
  t.deepEqual([a.received.length, b.received.length], [6, 6])
})

test('a replica that is late to say that it is ready is away until it says so; there is one question at a time', async (t) => {
  const [frozen, well] = (await openUpstreams(t, 2)) as [Upstream, Upstream]
  const { ask } = await openShop(t, { origins: { order: [frozen.origin, well.origin] } })
  await Promise.all([frozen.settled(), well.settled()])
  frozen.freeze()
  await frozen.polled()
  // While it answers requests, it is not away, for longer than a poll may take.
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 6; j++) await ask('GET', '/orders/find/7')
    await well.polled()
  }
  t.true(frozen.received.length >= 9)

  for (let i = 0; i < 4; i++) await well.polled()
  const before = frozen.received.length
  for (let i = 0; i < 6; i++) await ask('GET', '/orders/find/7')
  t.is(frozen.received.length, before)

  frozen.thaw()
  while (frozen.received.length === before) await ask('GET', '/orders/find/7')
  t.is(frozen.pollsAtOnceMax, 1)
})

test('whoever a replica carries is told that it has become unresponsive, and nobody whom it has let go', async (t) => {
  const [upstream] = (await openUpstreams(t, 1)) as [Upstream]
  const replica = new Replica({
    service: 'order',
    origin: upstream.origin,
    servername: '',
    timeoutMs: 20_000,
    step: openStep('gateway'),
    changed: () => undefined,
    log: pino({ level: 'silent' }),
  })
  t.teardown(() => replica.destroy())
  const told = new Set<string>()
  const bothTold = Promise.withResolvers<void>()
  const carried = (name: string): Carried => ({
    kind: 'short',
    place: 0,
    hurry: () => undefined,
    replicaUnresponsive: () => {
      told.add(name)
      if (told.size === 2) bothTold.resolve()
    },
  })
  const first = carried('first')
  const second = carried('second')
  const third = carried('third')
  const fourth = carried('fourth')
  for (const one of [first, second, third, fourth]) replica.take(one)
  replica.letGo(first)
  replica.letGo(third)
  t.is(replica.loadOf(second), 2)

  replica.start()
  await upstream.settled()
  upstream.freeze()
  await bothTold.promise
  t.deepEqual([...told].toSorted(), ['fourth', 'second'])
  replica.letGo(second)
  replica.letGo(fourth)
  t.is(replica.loadOf(second), 0)
})
