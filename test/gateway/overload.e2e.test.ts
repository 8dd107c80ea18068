import { setTimeout as after } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { openReplicas, problemOf } from '../support/gateway.ts'
import { answer } from '../support/upstream.ts'

/** As many checkouts as one replica is given at once. */
const CHECKOUTS = 768

/** A replica that answers no checkout until it is told to, and everything else at once. */
const openSlow = async (t: ExecutionContext, options: Parameters<typeof openReplicas>[2] = {}) => {
  const { ask, upstream } = await openReplicas(t, 1, options)
  const held: (() => void)[] = []
  let ended = false
  upstream.behave = (response, received) => {
    const end = () => answer('paid')(response, received)
    if (received.url.startsWith('/orders/checkout/') && !ended) held.push(end)
    else end()
  }
  const end = (): void => {
    ended = true
    for (const one of held) one()
  }
  return { ask, upstream, end }
}

test('a checkout that no replica has room for waits, is refused unsent with the time to come again, and keeps nobody else waiting', async (t) => {
  const { ask, upstream, end } = await openSlow(t, { waitMs: 2_000 })
  const all = Array.from({ length: CHECKOUTS }, (_, order) => ask('POST', `/orders/checkout/${order}`))
  while (upstream.received.length < CHECKOUTS) await after(10)
  const more = Array.from({ length: 20 }, (_, order) => ask('POST', `/orders/checkout/more-${order}`))

  const find = await ask('GET', '/orders/find/7')
  t.is(find.status, 200)
  for (const reply of await Promise.all(more)) {
    t.is(reply.status, 503)
    t.is(problemOf(t, reply).type, 'urn:shop:problem:overloaded')
    t.is(reply.headers['retry-after'], '1')
  }
  t.is((await ask('GET', '/ready')).status, 503) // the other services have no replica here
  t.is((await ask('GET', '/live')).status, 200)
  t.is(upstream.received.filter(({ url }) => url.startsWith('/orders/checkout/')).length, CHECKOUTS)

  end()
  for (const reply of await Promise.all(all)) t.is(reply.status, 200)
  t.is((await ask('POST', '/orders/checkout/again')).status, 200)
})

test('a checkout that waits is sent as soon as another one ends', async (t) => {
  const { ask, upstream, end } = await openSlow(t, { waitMs: 20_000 })
  const all = Array.from({ length: CHECKOUTS + 20 }, (_, order) => ask('POST', `/orders/checkout/${order}`))
  while (upstream.received.length < CHECKOUTS) await after(10)
  end()
  for (const reply of await Promise.all(all)) t.is(reply.status, 200)
})

test('when as many wait as may, one more checkout is refused at once, but nothing else', async (t) => {
  const { ask, upstream, end } = await openSlow(t, { waitingMax: 3 })
  const all = Array.from({ length: CHECKOUTS + 3 }, (_, order) => ask('POST', `/orders/checkout/${order}`))
  while (upstream.received.length < CHECKOUTS) await after(10)
  const more = ask('POST', '/orders/checkout/more')
  const refused = await Promise.race([more, ...all]) // whichever connection came last
  t.is(refused.status, 503)
  t.is(problemOf(t, refused).type, 'urn:shop:problem:overloaded')
  t.is((await ask('GET', '/orders/find/7')).status, 200)
  end()
  const replies = await Promise.all([...all, more])
  t.is(replies.filter(({ status }) => status === 200).length, CHECKOUTS + 3)
})
