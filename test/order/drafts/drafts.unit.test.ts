/** How a request learns that payment has drafted the invoice of its order. */
import test from 'ava'
import { draftedBy, openDrafts } from '../../../order/drafts/drafts.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { entryOf } from '../../support/shop/open-store.ts'

const cart = { order: 'cart', version: 3 }
const NEVER = new AbortController().signal
const unasked = (): Promise<number> => Promise.reject(new Error('it is not asked'))

test('an entry of payment tells of a draft if it is of that kind', (t) => {
  const facts = { order: 'cart', user: 'anna', total: 5, order_version: 3 }
  t.deepEqual(draftedBy(entryOf('payment', 'InvoiceDrafted', '1-0', 'it', facts)), cart)
  t.is(draftedBy(entryOf('payment', 'DraftVoided', '1-0', 'it', facts)), undefined)
})

test('it is told which version is drafted, and asks nobody', async (t) => {
  const drafts = openDrafts(unasked)
  const waits = [drafts.wait(cart, 60_000, NEVER), drafts.wait({ ...cart, version: 4 }, 60_000, NEVER)]
  drafts.onDrafted({ order: 'other', version: 9 })
  drafts.onDrafted({ ...cart, version: 2 })
  drafts.onDrafted({ ...cart, version: 4 })
  t.deepEqual(await Promise.all(waits), [true, true])
})

test('what is read of payment counts where there is one replica; where there are more it is waited for until all are told', async (t) => {
  const facts = { order: 'cart', user: 'anna', total: 5 }
  const heard = (order_version: number) =>
    entryOf('payment', 'InvoiceDrafted', '1-0', 'it', { ...facts, order_version })
  const drafts = openDrafts(unasked)
  const alone = drafts.wait(cart, 60_000, NEVER)
  drafts.onHeard(heard(3))
  t.true(await alone)

  drafts.onNoted(true)
  const amongOthers = drafts.wait({ ...cart, version: 4 }, 60_000, NEVER)
  drafts.onHeard(heard(4))
  t.is(await Promise.race([amongOthers, 'waits']), 'waits')
  drafts.onDrafted({ ...cart, version: 4 })
  t.true(await amongOthers)

  drafts.onNoted(false)
  const aloneAgain = drafts.wait({ ...cart, version: 5 }, 60_000, NEVER)
  drafts.onHeard(heard(5))
  t.true(await aloneAgain)
})

test('one of several that wait for an order leaves the others waiting', async (t) => {
  const drafts = openDrafts(unasked)
  const [early, late] = [drafts.wait(cart, 60_000, NEVER), drafts.wait({ ...cart, version: 4 }, 60_000, NEVER)]
  drafts.onDrafted(cart)
  t.true(await early)
  drafts.onDrafted({ ...cart, version: 4 })
  t.true(await late)
})

test('one that was told before it waited finds out by itself', async (t) => {
  const drafts = openDrafts(async () => 3)
  drafts.onDrafted(cart)
  t.true(await drafts.wait(cart, 60_000, NEVER))
})

test('where nothing is drafted the wait ends in time, or at the signal, and says so', async (t) => {
  const drafts = openDrafts(async () => 2)
  t.false(await drafts.wait(cart, 1, NEVER))
  const closing = new AbortController()
  const wait = drafts.wait(cart, 60_000, closing.signal)
  closing.abort()
  t.false(await wait)
  t.false(await drafts.wait(cart, 60_000, closing.signal))
})

test('where that cannot be known nothing is drafted, as far as a client is told', async (t) => {
  const drafts = openDrafts(() => Promise.reject(new UnavailableError('Redis is away')))
  t.false(await drafts.wait(cart, 1, NEVER))
})
