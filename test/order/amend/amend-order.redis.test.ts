/** Amendments of an order's store: what becomes of each, which of several at once is made, and what it shows. */
import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { AMENDMENTS_MAX, type Amendment, amendmentOf, refundIn } from '../../../order/amend/amendment.ts'
import { alternatives, type Event, type State, statusIn, transitions } from '../../../order/amend/transitions.ts'
import { type Changeable, changedBy } from '../../../order/change/change.ts'
import { reactions } from '../../../order/reactions.ts'
import { headersOf } from '../../../order/shown.ts'
import { openStore } from '../../../order/store.ts'
import { ledgerOf, pieces, sumOver } from '../../support/checker/ledgers.ts'
import { plainly, under } from '../../support/shop/open-store.ts'
import { holdStates, openStoreForTests } from '../../support/shop/store-rules.ts'

const { bench, store, tell, emittedDuring, holdEveryResult } = await openStoreForTests(openStore, reactions, 'amend')
const { log } = store

test.serial.afterEach.always('the ledger says what orders show that are paid', async (t) => {
  const account = await ledgerOf(bench.redis)
  const ofPaid = (balance: (fields: Readonly<Record<string, string>>) => bigint): Promise<bigint> =>
    sumOver(bench.redis, 'order:', (fields) =>
      fields.status === 'paid' || fields.status === 'changing' ? balance(fields) : 0n,
    )
  const paid = await ofPaid(({ total, refunded }) => BigInt(total ?? '0') - BigInt(refunded ?? '0'))
  const sold = await ofPaid(({ lines, returned }) => pieces(lines) - pieces(returned))
  t.is(account('paid'), paid + account('replaced-paid'))
  t.is(account('sold'), sold + account('replaced-sold'))
  t.false((await bench.redis.keys('order:*')).length > 0 && (await isInconsistent()))
})

/** Two of tea for 15 each, and three cups for 10 in all. */
const ORDER = { order: 'cart', user: 'anna', total: 40, lines: 'tea:2,cup:3', costs: 'tea:30,cup:10' }
const PRICES = new Map([
  ['tea', 20],
  ['cup', 4],
  ['pot', 1],
])

const pay = async (): Promise<void> => {
  await store.place(ORDER, plainly)
  await store.begin({ log_id: 'checkout', order: 'cart', user: 'anna', token: '', timeout_ms: 60_000 }, plainly)
  await tell('payment', 'CreditCaptured', 'checkout', { ...ORDER, total: '40', invoice: 'I1-1' })
}
const isInconsistent = async (): Promise<boolean> => {
  const { balances } = await store.auditor.count()
  return [...balances.values()].some((balance) => String(balance).endsWith('?'))
}
const shown = async () => {
  const found = await store.show('cart')
  if (found === undefined) throw new Error('there is no cart')
  return found
}
const planned = (order: Changeable, wanted: object): Amendment => {
  const changed = changedBy(order, new Map(Object.entries(wanted)), PRICES)
  if ('unknownCost' in changed) throw new Error('all costs are known')
  return amendmentOf(order, changed)
}
type Result = Awaited<ReturnType<typeof store.amend>>
/** To be begun at once. */
const readied = async (wanted: object, once = plainly, from?: readonly number[]): Promise<() => Promise<Result>> => {
  const order = await shown()
  const wish = { order: 'cart', from: from ?? 'any', since: undefined, read: order.version, timeoutMs: 60_000 } as const
  const amendment = planned(order, wanted)
  return () => store.amend({ ...wish, amendment }, once)
}
const amend = async (...wish: Parameters<typeof readied>): Promise<Result> => (await readied(...wish))()
/** As `amend`, under the log id `it`. */
const amendAsIt = async (): Promise<Result> => {
  const { take, back, total, costs } = planned(await shown(), WANTED)
  const listed = (amounts: ReadonlyMap<string, number>) => Array.from(amounts, (one) => one.join(':')).join()
  const texts = { take: listed(take), back: listed(back), total, costs: listed(costs) }
  const known = {
    log_id: 'it',
    order: 'cart',
    versions: 'any',
    since: '',
    read: (await shown()).version,
    timeout_ms: 60_000,
  }
  return (await log.run('amend-order', { ...known, ...texts }, under('k'))) as unknown as Result
}
const idOf = (result: Result): string => {
  if (result[0] !== 'amending') throw new Error(`it is ${result.join(' ')}`)
  return result[1]
}

/** A cup leaves, and a piece of tea comes for 20. */
const WANTED = { tea: 3, cup: 2 }
const ENTRY = {
  ...{ order: 'cart', user: 'anna', total: '17', lines: 'tea:1', amends: '1', back: 'cup:1', costs: 'tea:50,cup:7' },
  ...{ reason: 'out-of-stock', item: 'tea' },
}
const entry = async (id = 'it') => {
  const { amends = String((await shown()).version) } = await log.recorded(id)
  return { ...ENTRY, amends }
}
const said = async (kind: 'CreditCaptured' | 'CreditRefused' | 'CreditVoided' | 'CreditReleased', id = 'it') =>
  tell('payment', kind, id, await entry(id))
const wish = (by: 'refund' | 'accept') => store.resolve('it', { by, why: 'she asked' }, plainly)

const bring = async (state: State): Promise<void> => {
  await pay()
  if (state === 'none') return
  await amendAsIt()
  if (['paid', 'contradicted', 'accepted'].includes(state)) await said('CreditCaptured')
  if (state === 'contradicted' || state === 'accepted') await said('CreditReleased')
  if (state === 'accepted') await wish('accept')
  if (state === 'failed') await said('CreditVoided')
  if (state === 'cancelling' || state === 'closed') await store.cancel('it')
  if (state === 'closed') await said('CreditReleased')
}
const EVENTS: Readonly<Record<Event, () => Promise<readonly (string | undefined)[]>>> = {
  amend: async () => (await amendAsIt()) as readonly string[],
  CreditCaptured: () => said('CreditCaptured'),
  CreditRefused: () => said('CreditRefused'),
  CreditVoided: () => said('CreditVoided'),
  CreditReleased: () => said('CreditReleased'),
  cancel: () => log.run('cancel', { log_id: 'it' }),
  're-emit': () => log.run('tell-again', { log_id: 'it' }),
  refund: () => wish('refund'),
  accept: () => wish('accept'),
}
const isMade = (state: State): boolean => ['paid', 'contradicted', 'accepted'].includes(state)

holdStates({
  log,
  transitions,
  saga: 'amendment',
  bring,
  events: EVENTS,
  emittedDuring,
  look: async () => {
    const { state = 'none', contradicted, resolved } = await log.recorded('it')
    const { status, total_cost, items, checkout, paid } = await shown()
    return {
      state:
        state !== 'paid' || contradicted === undefined ? state : resolved === undefined ? 'contradicted' : 'accepted',
      ...{ status, paid, total_cost, items: items.join(' '), checkout: checkout?.log_id },
      refunds: (await store.refundsOf('cart'))?.map(({ id, amount }) => `${id} ${amount}`),
      contradictions: await store.contradictions(),
    }
  },
  looksIn: (state) => ({
    state,
    ...{ status: statusIn[state], paid: true, checkout: 'checkout' },
    ...(isMade(state) ? { total_cost: 57, items: 'tea,3 cup,2' } : { total_cost: 40, items: 'tea,2 cup,3' }),
    refunds: isMade(state) ? [`${refundIn('it')} 0`] : [],
    contradictions: state === 'contradicted' ? ['cart'] : [],
  }),
})

/** By which events an amendment comes to its last states. */
const WAYS: readonly (readonly Event[])[] = [
  ['amend', 'cancel', 'CreditReleased'],
  ['amend', 'CreditRefused', 'CreditCaptured', 'CreditReleased'],
  ['amend', 'CreditVoided', 'CreditCaptured', 'CreditReleased'],
  ['amend', 'CreditCaptured', 'CreditReleased', 'accept'],
]
for (const way of WAYS)
  test.serial(`an order that is shown otherwise has another entity tag: ${way.join(', ')}`, async (t) => {
    await pay()
    const tags = new Map<string, string>()
    for (const event of way) {
      await EVENTS[event]()
      const order = await shown()
      const { ETag: tag } = headersOf(order)
      t.is(tags.get(tag) ?? JSON.stringify(order), JSON.stringify(order), event)
      tags.set(tag, JSON.stringify(order))
    }
    // What is still being undone makes no other version: a client that has seen it may change the order meanwhile.
    const { version } = await shown()
    t.true([...tags].at(-1)?.[0] === `"${version}"`)
  })

const ORDERS: Readonly<Record<(typeof alternatives)[number][2], () => Promise<unknown>>> = {
  'its order is another one by now': async () => {
    await pay()
    await amend({ cup: 2 })
  },
  'a refund of its order was forgotten': async () => {
    await bring('checking-out')
    await tell('payment', 'CreditRefunded', 'r', {
      order: 'cart',
      user: 'anna',
      total: 3,
      lines: 'cup:1',
      restock: 'shelf',
    })
  },
}
for (const [state, event, where, [result, next, ...kinds]] of alternatives)
  test.serial(`${event} of an amendment that is ${state}, where ${where}: ${result}`, async (t) => {
    await ORDERS[where]()
    const before = await shown()
    const seen = await emittedDuring(async () => {
      t.is((await tell('payment', event, 'it', { ...ENTRY, amends: '2' }))[0], result)
    })
    t.deepEqual<readonly string[], readonly string[]>(seen, kinds)
    t.is((await log.recorded('it')).state, next)
    const { version: _, status: __, amendment: ___, updated_at: ____, ...rest } = await shown()
    t.like(before, rest)
    t.is((await shown()).status, 'paid')
  })

/** All at once, the first one a few turns before the others: commands are sent in groups. */
const atOnce = <Done>(works: readonly (() => Promise<Done>)[]): Promise<Done[]> =>
  Promise.all(
    works.map((work, at) =>
      at === 0
        ? work()
        : turn()
            .then(() => turn())
            .then(() => turn())
            .then(work),
    ),
  )

/** Its capture, to be told at once. */
const capture = async (result: Result): Promise<() => Promise<string>> => {
  const id = idOf(result)
  const { total = '0', lines = '', amends = '', back = '', costs = '' } = await log.recorded(id)
  const facts = { order: 'cart', user: 'anna', total, lines, amends, back, costs }
  return async () => (await tell('payment', 'CreditCaptured', id, facts))[0]
}
const ends = async (result: Result): Promise<string> => (await capture(result))()

test.serial(
  'however an order is amended, it costs what its lines do, to the unit, and so much is paid of it',
  async (t) => {
    await pay()
    let random = 1
    const next = (below: number): number => {
      random = (random * 16_807) % 2_147_483_647
      return random % below
    }
    for (let round = 0; round < 60; round += 1) {
      const wanted = { tea: next(4), cup: next(5), pot: 1 + next(3) }
      const result = await amend(wanted)
      if (result[0] === 'amending') t.is(await ends(result), 'paid')
      else t.true(['amended', 'unchanged'].includes(result[0]), result[0])
      const { lines, total_cost, paid_amount } = await shown()
      t.deepEqual(
        Object.fromEntries(lines.map(({ item_id, quantity }) => [item_id, quantity])),
        Object.fromEntries(Object.entries(wanted).filter(([, quantity]) => quantity > 0)),
      )
      t.is(
        lines.reduce((sum, { cost }) => sum + (cost ?? Number.NaN), 0),
        total_cost,
      )
      t.is(paid_amount, total_cost)
      const account = await ledgerOf(bench.redis)
      t.is(account('paid'), BigInt(total_cost))
    }
  },
)

test.serial('an order names what it was amended by, its invoices, and the amendment that was refused', async (t) => {
  await pay()
  const first = await amend({ tea: 3 })
  const amended = {
    order: 'cart',
    user: 'anna',
    total: 20,
    lines: 'tea:1',
    amends: '1',
    back: '',
    costs: 'tea:50,cup:10',
  }
  t.is((await shown()).amendment?.state, 'checking-out')
  await tell('payment', 'CreditCaptured', idOf(first), { ...amended, invoice: 'I1-2' })
  t.like(await shown(), { invoice: { number: 'I1-2', total: 20 }, amendment: { log_id: idOf(first), state: 'paid' } })
  t.is(await bench.redis.hget('order:cart', 'invoices'), 'I1-1:40,I1-2:20')
  const second = idOf(await amend({ pot: 1 }))
  await tell('payment', 'CreditRefused', second, { ...amended, reason: 'out-of-credit' })
  t.like(await shown(), { total_cost: 60, amendment: { log_id: second, state: 'failed', reason: 'out-of-credit' } })
  t.deepEqual(await store.checkoutsOf('cart'), [second, idOf(first), 'checkout'])
  const refund = await store.refund({ order: 'cart', from: 'any', lines: '', restock: 'shelf', reason: '' }, plainly)
  t.is(refund[0], 'granted')
  const [granted] = await log.entriesOf(String(refund[1]))
  t.is(granted?.facts.invoice, 'I1-1,I1-2')
})

/** The order is paid, and after that a third piece of tea: there are two invoices. */
const payTwice = async (): Promise<void> => {
  await pay()
  const more = idOf(await amend({ tea: 3 }))
  const facts = { ...ENTRY, total: '20', back: '', costs: 'tea:50,cup:10', amends: '1' }
  await tell('payment', 'CreditCaptured', more, { ...facts, invoice: 'I1-2' })
}
/** What goes back for these lines, and which invoices that names. */
const refunded = async (lines: string) => {
  const wanted = { order: 'cart', from: 'any', lines, restock: 'shelf', reason: '' } as const
  const [, id] = await store.refund(wanted, plainly)
  const [granted] = await log.entriesOf(String(id))
  return [granted?.facts.total, granted?.facts.invoice]
}

test.serial('a refund names the invoices that it takes back, and none of which nothing is left', async (t) => {
  await payTwice()
  t.deepEqual(await refunded('tea:2'), ['33', 'I1-1'], '7 are left of the first one')
  t.deepEqual(await refunded('cup:2'), ['6', 'I1-1'])
  t.deepEqual(await refunded('cup:1'), ['4', 'I1-1,I1-2'])
  t.deepEqual(await refunded(''), ['17', 'I1-2'])
})

test.serial('also where payment has lost an invoice after which there was another, and issued it anew', async (t) => {
  await payTwice()
  t.deepEqual(await refunded('tea:2'), ['33', 'I1-1'], '7 are left of it')
  await tell('payment', 'CreditCaptured', 'checkout', { ...ORDER, total: '40', invoice: 'I2-1' })
  t.like((await shown()).invoice, { number: 'I1-2', total: 20, replaces: ['I1-1'] })
  t.deepEqual(await refunded('cup:3'), ['10', 'I2-1,I1-2'])
  t.deepEqual(await refunded(''), ['17', 'I1-2'])
})

test.serial(
  'what was refunded that its order cannot show, as a person has accepted, is taken back of the first one, too',
  async (t) => {
    await payTwice()
    const strange = { order: 'cart', user: 'anna', total: '33', lines: 'mug:1', restock: 'shelf', note: 'C1-1' }
    t.deepEqual((await tell('payment', 'CreditRefunded', 'unknown', strange))[0], 'contradicted')
    t.deepEqual(await store.resolve('checkout', { by: 'accept', why: 'so' }, plainly), ['resolved', 'paid'])
    t.deepEqual(await refunded('cup:3'), ['10', 'I1-1,I1-2'], '7 are left of the first one')
  },
)

test.serial('so does that of an amendment, whatever was invoiced in between', async (t) => {
  await pay()
  const leaving = async (wanted: object) => {
    const less = await amend(wanted)
    const [granted] = (await log.entriesOf(String(less[1]))).filter(({ kind }) => kind === 'RefundGranted')
    return [granted?.facts.total, granted?.facts.invoice]
  }
  t.deepEqual(await leaving({ tea: 1 }), ['15', 'I1-1'])
  const more = idOf(await amend({ pot: 1 }))
  const { amends } = await entry(more)
  const facts = { ...ENTRY, total: '1', lines: 'pot:1', amends, back: '', costs: 'tea:15,cup:10,pot:1' }
  await tell('payment', 'CreditCaptured', more, { ...facts, invoice: 'I1-2' })
  t.deepEqual(await leaving({ tea: 0 }), ['15', 'I1-1'])
  t.deepEqual(await leaving({ cup: 0 }), ['10', 'I1-1'], 'all that is left of the first one')
})

test.serial(
  'it is known which version an amendment has made, with its credit note, whatever others make of the order',
  async (t) => {
    await pay()
    const version = async (): Promise<number> => (await shown()).version
    const settle = (id: string, lines: string, note: string) =>
      tell('payment', 'CreditRefunded', id, { order: 'cart', user: 'anna', total: '15', lines, restock: 'shelf', note })
    const less = async (wanted: object): Promise<string> => {
      const result = await amend(wanted)
      return result[0] === 'amended' ? result[1].slice(0, -refundIn('').length) : t.fail(result.join(' ')) || ''
    }
    const first = await less({ tea: 1 })
    const granted = await version()
    t.is(await store.versionMade('cart', first), granted)
    await settle(refundIn(first), 'tea:1', 'C1-1')
    const settled = await version()
    t.true(settled > granted)
    t.is(await store.versionMade('cart', first), settled)

    const second = idOf(await amend({ cup: 4 }))
    t.is(await store.versionMade('cart', second), undefined)
    await said('CreditCaptured', second)
    const captured = await version()
    t.is(await store.versionMade('cart', second), captured)

    const third = await less({ cup: 3 })
    const made = await version()
    const wish = { order: 'cart', from: 'any', lines: 'cup:1', restock: 'shelf', reason: '' } as const
    t.is((await store.refund(wish, plainly))[0], 'granted')
    await settle(refundIn(third), 'cup:1', 'C1-2')
    t.true((await version()) > made)
    t.deepEqual(await Promise.all([first, second, third].map((id) => store.versionMade('cart', id))), [
      settled,
      captured,
      made,
    ])
    t.is(await store.versionMade('nothing', first), undefined)
  },
)

test.serial('of amendments, refunds, cancellations and checkouts at once one is first, and all are true', async (t) => {
  const winners = new Set<string>()
  for (let round = 0; round < 25; round += 1) {
    await bench.redis.flushall()
    await pay()
    const read = await shown()
    const ready = (wanted: object) => readied(wanted, plainly, [read.version])
    const more = await Promise.all([0, 1, 2].map(() => ready({ tea: 3, cup: 2 })))
    const less = await ready({ cup: 1 })
    const wants = [
      ...more.map((begin) => async () => (await begin())[0]),
      async () => (await less())[0],
      async () =>
        (
          await store.refund(
            { order: 'cart', from: [read.version], lines: 'cup:1', restock: 'shelf', reason: '' },
            plainly,
          )
        )[0],
      async () =>
        (await store.begin({ log_id: 'c2', order: 'cart', user: 'anna', token: '', timeout_ms: 60_000 }, plainly))[0],
    ]
    const turned = [...wants.slice(round % wants.length), ...wants.slice(0, round % wants.length)]
    const results = await atOnce(turned)
    const made = results.filter((result) => ['amending', 'amended', 'granted'].includes(result))
    t.is(made.length, 1, results.join())
    winners.add(made[0] ?? '')
    const cancelled = await store.cancelOrder(
      { order: 'cart', from: 'any', restock: 'shelf', reason: undefined },
      plainly,
    )
    t.is(cancelled[0], 'refunded')
    t.like(await shown(), { status: 'cancelled', payment_status: 'refunded' })
    const account = await ledgerOf(bench.redis)
    t.deepEqual([account('paid'), account('sold')], [0n, 0n])
  }
  t.deepEqual([...winners].toSorted(), ['amended', 'amending', 'granted'])
})

test.serial(
  'a cancellation and the end of an amendment race, and either way all that was paid goes back',
  async (t) => {
    const paid = new Set<number>()
    for (let round = 0; round < 20; round += 1) {
      await bench.redis.flushall()
      await pay()
      const result = await amend({ tea: 3 })
      const end: () => Promise<unknown> = await capture(result)
      const cancel = (): Promise<unknown> =>
        store.cancelOrder({ order: 'cart', from: 'any', restock: 'shelf', reason: undefined }, plainly)
      // A cancellation reads the time first; every other end waits for that as well, so that either may come first.
      const endAsLate = (): Promise<unknown> => store.readMs().then(end)
      await atOnce(round % 2 === 0 ? [end, cancel] : [cancel, endAsLate])
      const order = await shown()
      t.like(order, { status: 'cancelled', payment_status: 'refunded' })
      t.is(order.refunded_amount, order.total_cost)
      paid.add(order.refunded_amount)
      const account = await ledgerOf(bench.redis)
      t.is(account('paid'), 0n)
    }
    t.deepEqual([...paid].toSorted(), [40, 60])
  },
)

test.serial('an amendment is refused for what is so already, or is not so any more', async (t) => {
  const order = { order: 'none', from: 'any', since: undefined, read: 1, amendment: undefined, timeoutMs: 1 } as const
  t.deepEqual(await store.amend(order, plainly), ['unknown'])
  await store.place(ORDER, plainly)
  t.deepEqual(await amend({ tea: 1 }), ['moved'], 'an open order is changed')
  await bench.redis.flushall()
  await pay()
  const { version } = await shown()
  t.deepEqual(await amend({ tea: 1 }, plainly, [version - 1]), ['stale', String(version)])
  t.deepEqual(await store.amend({ ...order, order: 'cart', since: version - 1 }, plainly), [
    'outdated',
    String(version),
  ])
  t.deepEqual(await store.amend({ ...order, order: 'cart' }, plainly), ['moved'])
  t.deepEqual(await amend({ tea: 2 }), ['unchanged'])
  await bench.redis.hset('order:cart', 'amendments', AMENDMENTS_MAX)
  t.deepEqual(await amend({ tea: 1 }), ['too-many'])
  await bench.redis.hdel('order:cart', 'amendments')
  await bench.redis.sadd('contradictions', 'cart')
  t.deepEqual(await amend({ tea: 1 }), ['contradicted'])
  await bench.redis.del('contradictions')
  await amend({ tea: 3 })
  t.deepEqual(await amend({ tea: 1 }), ['changing', 'changing'])
  await store.cancelOrder({ order: 'cart', from: 'any', restock: 'shelf', reason: undefined }, plainly)
  t.deepEqual(await amend({ tea: 1 }), ['closed', 'cancelled'])
})

test.serial(
  'an amendment that is refused is shown with its order, which has another version for that and is else as it was',
  async (t) => {
    await pay()
    const { version, amendment: none, updated_at: _, ...before } = await shown()
    await amendAsIt()
    const { version: meanwhile, status } = await shown()
    await said('CreditVoided')
    const { version: after, amendment, updated_at: __, ...order } = await shown()
    t.deepEqual(order, before)
    t.deepEqual([none, status], [null, 'changing'])
    t.deepEqual(amendment, { log_id: 'it', state: 'failed', reason: 'out-of-stock', item_id: 'tea' })
    t.true(version < meanwhile && meanwhile < after)
  },
)

test.serial('of an order of which something was refunded nothing is amended', async (t) => {
  await pay()
  await store.refund({ order: 'cart', from: 'any', lines: 'cup:1', restock: 'shelf', reason: '' }, plainly)
  t.deepEqual(await amend({ tea: 1 }), ['partly-refunded'])
})

test.serial('orders are not made anew while one of them is changing', async (t) => {
  const batch = { first: 0, last: 0, items: 1, users: 1, price: 5, seed: 1 }
  await store.initOrders(batch, plainly)
  await bench.redis.hset('order:0', 'status', 'changing')
  t.deepEqual(await store.initOrders(batch, plainly), ['busy', '0'])
  await bench.redis.hset('order:0', 'status', 'open')
})

holdEveryResult()
