/** What the model of random histories takes for an explanation, and what it does not. */
import test from 'ava'
import { openWorlds, type Request, type State, type Told } from './possible-worlds.ts'

/** One user with 5, one item at 2 of which there are 3, and two orders of two of it. */
const small: State = {
  credit: [5],
  stock: [3],
  prices: [2],
  orders: [
    { user: 0, paid: false, total: 4, quantities: [2], costs: [4], returned: [] },
    { user: 0, paid: false, total: 4, quantities: [2], costs: [4], returned: [] },
  ],
  due: [],
}
const told = (action: number, request: Request, answer?: string): Told => ({ action, request, answer })
const checkout = (order: number): Request => ({ does: 'checkout', order })
const credit: Request = { does: 'find-user', user: 0 }
const fund: Request = { does: 'add-funds', user: 0, amount: 4 }

test('knows the one answer there is, and refuses any other', (t) => {
  const worlds = openWorlds(small)
  worlds.learn([told(0, checkout(0), '200')], false)
  t.is(worlds.count(), 1)
  t.throws(() => worlds.learn([told(1, checkout(1), '200')], false), { message: /no serial order explains/ })
  worlds.learn([told(1, checkout(1), '402 out-of-credit'), told(2, credit, '200 1')], false)
})

test('takes any order of what is asked at once, and no answer that none of them gives', (t) => {
  const outcomes = [
    ['200', '402 out-of-credit', true],
    ['402 out-of-credit', '200', true],
    ['200', '200', false],
    ['402 out-of-credit', '402 out-of-credit', false],
  ] as const
  for (const [first, second, explained] of outcomes) {
    const learn = () => openWorlds(small).learn([told(0, checkout(0), first), told(1, checkout(1), second)], false)
    if (explained) t.notThrows(learn)
    else t.throws(learn)
  }
})

test('keeps what is unknown as possible until a read tells', (t) => {
  for (const shown of ['200 5', '200 9']) {
    const worlds = openWorlds(small)
    worlds.learn([told(0, fund)], true)
    t.deepEqual(worlds.coming(), [0])
    worlds.learn([told(1, credit, shown)], true)
    worlds.rest()
    t.true(worlds.count() <= 2)
    t.throws(() => worlds.learn([told(2, credit, '200 13')], false))
  }
})

test('lets what is unknown have one effect at most, and none after it could still come', (t) => {
  const worlds = openWorlds(small)
  worlds.learn([told(0, fund)], true)
  worlds.learn([told(1, credit, '200 5')], true)
  worlds.learn([told(2, credit, '200 9')], true)
  t.throws(() => worlds.learn([told(3, credit, '200 5')], true), undefined, 'it was seen')
  t.throws(() => worlds.learn([told(4, credit, '200 13')], true), undefined, 'it comes once')
  const rested = openWorlds(small)
  rested.learn([told(0, fund)], true)
  rested.learn([told(1, credit, '200 5')], true)
  rested.rest()
  rested.learn([told(2, credit, '200 5')], false)
  t.throws(() => rested.learn([told(3, credit, '200 9')], false))
})

test('takes the repetition of an action under its key for what the action was, without another effect', (t) => {
  const worlds = openWorlds(small)
  worlds.learn([told(0, fund)], true)
  worlds.learn([told(0, fund, '200')], true)
  worlds.rest()
  t.is(worlds.count(), 1)
  worlds.learn([told(1, credit, '200 9')], false)
  worlds.learn([told(0, fund, '200'), told(2, credit, '200 9')], false)
  t.throws(() => worlds.learn([told(0, fund, '402 out-of-credit')], false))
})

test('takes "not now" only while something is wrong, and for no effect', (t) => {
  t.throws(() => openWorlds(small).learn([told(0, checkout(0), '423 locked')], false))
  const worlds = openWorlds(small)
  worlds.learn([told(0, checkout(0), '424 checkout-cancelled')], true)
  worlds.learn([told(1, credit, '200 5')], true)
  worlds.rest()
  t.is(worlds.count(), 1)
})

test('lets a checkout that is cancelled be seen as a sale and its return, by reads and by refusals', (t) => {
  const take: Request = { does: 'subtract', item: 0, amount: 2 }
  const worlds = openWorlds(small)
  worlds.learn([told(0, checkout(0), '424 checkout-cancelled'), told(1, take, '409 out-of-stock')], true)
  worlds.learn([told(2, credit, '200 1')], true)
  worlds.learn([told(3, credit, '200 5')], true)
  t.throws(() => worlds.learn([told(4, credit, '200 1')], true), undefined, 'it comes back once')
  worlds.rest()
  worlds.learn([told(5, take, '200')], false)
})

test('lets no other checkout be seen so: not one that was refused, and none at rest', (t) => {
  const take: Request = { does: 'subtract', item: 0, amount: 2 }
  for (const answer of ['402 out-of-credit', '409 out-of-stock', '423 locked'])
    t.throws(() => openWorlds(small).learn([told(0, checkout(0), answer), told(1, take, '409 out-of-stock')], true))
  const worlds = openWorlds(small)
  worlds.learn([told(0, checkout(0), '424 checkout-cancelled')], true)
  worlds.rest()
  t.throws(() => worlds.learn([told(1, take, '409 out-of-stock')], false))
  t.throws(() => worlds.learn([told(2, credit, '200 1')], true))
})

test('takes a 503 that says that nothing was done for no effect, and never to come', (t) => {
  const worlds = openWorlds(small)
  worlds.learn([told(0, fund, '503 overloaded')], true)
  t.deepEqual(worlds.coming(), [])
  t.throws(() => worlds.learn([told(1, credit, '200 9')], true))
})

test('takes a repetition that is turned away for that sending only, and no other answer than the first for its end', (t) => {
  const worlds = openWorlds(small)
  worlds.learn([told(0, fund, '200')], false)
  worlds.learn([told(0, fund, '503 service-unavailable')], true)
  t.throws(() => worlds.learn([told(0, fund, '503 service-unavailable')], false))
  t.throws(() => worlds.learn([told(0, fund, '424 neighbour-unavailable')], true))
})

const setPrice = (price: number): Request => ({ does: 'set-price', item: 0, price })
const line: Request = { does: 'add-item', order: 0, item: 0, quantity: 1 }
const look: Request = { does: 'find-order', order: 0 }

test('knows what an item costs once its price is changed, and lets lines keep what they cost', (t) => {
  const worlds = openWorlds(small)
  worlds.learn([told(0, setPrice(7), '200')], false)
  worlds.learn([told(1, look, '200 false 4 2'), told(2, { does: 'find-item', item: 0 }, '200 3 7')], false)
  worlds.learn([told(3, line, '200')], false)
  t.throws(() => worlds.learn([told(4, look, '200 false 6 3')], false), undefined, 'the price of before')
  worlds.learn([told(5, look, '200 false 11 3')], false)
})

test('adds a line at a price that its item had, or may have had, since the line was asked for', (t) => {
  for (const total of [6, 11]) {
    const atOnce = openWorlds(small)
    atOnce.learn([told(0, line, '200'), told(1, setPrice(7), '200')], false)
    t.notThrows(() => atOnce.learn([told(2, look, `200 false ${total} 3`)], false))
    t.throws(() => atOnce.learn([told(3, look, `200 false ${17 - total} 3`)], false), undefined, 'it was seen')
    const late = openWorlds(small)
    late.learn([told(0, line)], true)
    late.learn([told(1, setPrice(7), '200')], true)
    late.learn([told(2, look, '200 false 4 2')], true)
    t.notThrows(() => late.learn([told(3, look, `200 false ${total} 3`)], true))
    const unknown = openWorlds(small)
    unknown.learn([told(0, setPrice(7))], true)
    unknown.learn([told(1, line, '200')], true)
    t.notThrows(() => unknown.learn([told(2, look, `200 false ${total} 3`)], true))
  }
  const ended = openWorlds(small)
  ended.learn([told(0, line, '200')], false)
  ended.learn([told(1, setPrice(7), '200')], false)
  t.throws(() => ended.learn([told(2, look, '200 false 11 3')], false), undefined, 'it was added before')
})

test('shows all orders of a user as they are at one moment', (t) => {
  const list: Request = { does: 'find-orders', user: 0 }
  const worlds = openWorlds(small)
  worlds.learn([told(0, checkout(1), '200'), told(1, list, '200 0: 200 false 4 2; 1: 200 true 4 2')], false)
  t.throws(() => worlds.learn([told(2, list, '200 0: 200 false 4 2; 1: 200 false 4 2')], false))
  worlds.learn([told(3, { ...list, user: 1 }, '200 ')], false)
})

const refund = (quantity: number, item?: number): Request => ({
  does: 'refund',
  order: 0,
  quantity,
  ...(item === undefined ? {} : { item }),
})
const stock: Request = { does: 'find-item', item: 0 }

test('refunds what is left of a paid order, once, and refuses more', (t) => {
  const worlds = openWorlds(small)
  worlds.learn([told(0, refund(1, 0), '409 order-not-paid')], false)
  t.throws(() => worlds.learn([told(0, refund(1, 0), '202')], false))
  worlds.learn([told(1, checkout(0), '200')], false)
  worlds.learn([told(2, refund(3, 0), '409 quantity-too-great')], false)
  worlds.learn([told(0, refund(1, 0), '201')], false)
  worlds.learn([told(0, refund(1, 0), '201')], false)
  worlds.learn([told(4, credit, '200 3')], false)
  t.throws(() => worlds.learn([told(5, refund(2, 0), '201')], false), undefined, 'one is left')
  worlds.learn([told(6, refund(1), '201'), told(7, credit, '200 5')], false)
  worlds.learn([told(8, refund(1), '409 nothing-to-refund')], false)
  worlds.learn([told(10, refund(1, 0), '409 quantity-too-great')], false)
  worlds.rest()
  t.is(worlds.count(), 1)
  worlds.learn([told(9, stock, '200 3 2')], false)
})

test('lets money come back with the answer that it is settled, or after the one that it is granted, and goods after either', (t) => {
  const after = (answer: string) => {
    const worlds = openWorlds(small)
    worlds.learn([told(0, checkout(0), '200')], false)
    worlds.learn([told(1, refund(1), answer)], false)
    return worlds
  }
  t.throws(() => after('201').learn([told(2, credit, '200 1')], false), undefined, 'it is settled')
  for (const left of [1, 5]) t.notThrows(() => after('202').learn([told(2, credit, `200 ${left}`)], false))
  for (const answer of ['201', '202'])
    for (const there of [1, 3]) t.notThrows(() => after(answer).learn([told(2, stock, `200 ${there} 2`)], false))
  const worlds = after('202')
  worlds.learn([told(2, credit, '200 5')], false)
  t.throws(() => worlds.learn([told(3, credit, '200 1')], false), undefined, 'it came back')
  worlds.learn([told(1, refund(1), '201')], false)
  worlds.rest()
  t.throws(() => worlds.learn([told(4, stock, '200 1 2')], false), undefined, 'it is at rest')
})

test('lets an order that is cancelled never be paid, and gives back what was paid for it', (t) => {
  const cancel: Request = { does: 'cancel', order: 0 }
  const stock: Request = { does: 'find-item', item: 0 }
  const open = openWorlds(small)
  open.learn([told(0, cancel, '200 0')], false)
  open.learn([told(1, { does: 'delete', order: 0 }, '204'), told(2, checkout(0), '409 order-cancelled')], false)
  t.throws(() => open.learn([told(3, checkout(0), '200')], false), { message: /no serial order explains/ })

  const paid = openWorlds(small)
  paid.learn([told(0, checkout(0), '200')], false)
  t.throws(() => paid.learn([told(1, cancel, '200 0')], false), undefined, 'it was paid')
  paid.learn([told(1, cancel, '202 cancelled 4'), told(2, credit, '200 1')], false)
  paid.learn([told(3, cancel, '200 4'), told(4, { does: 'find-order', order: 0 }, '200 cancelled 4 2')], false)
  paid.rest()
  paid.learn([told(5, credit, '200 5'), told(6, stock, '200 3 2')], false)
})

test('lets a checkout that was given up with its order be seen as a sale and its return', (t) => {
  const given = (): ReturnType<typeof openWorlds> => {
    const worlds = openWorlds(small)
    worlds.learn(
      [
        told(0, checkout(0), '409 order-cancelled'),
        told(1, { does: 'cancel', order: 0 }, '202 cancelling 0'),
        told(2, credit, '200 1'),
      ],
      false,
    )
    return worlds
  }
  const shown: Request = { does: 'find-order', order: 0 }
  const worlds = given()
  worlds.learn([told(3, shown, '200 false 4 2'), told(4, credit, '200 5')], false)
  worlds.rest()
  worlds.learn([told(5, shown, '200 cancelled 4 2')], false)
  const rested = given()
  rested.rest()
  t.throws(() => rested.learn([told(3, credit, '200 1')], false), undefined, 'it is back')
  const alone = openWorlds(small)
  t.throws(() => alone.learn([told(0, checkout(0), '409 order-cancelled')], false), undefined, 'nobody cancelled it')
})

const change = (quantity: number, from?: string): Request => ({ does: 'change', order: 0, item: 0, quantity, from })
const shownAt: Request = { does: 'show-order', order: 0 }
const seen = (): ReturnType<typeof openWorlds> => {
  const worlds = openWorlds(small)
  worlds.learn([told(0, shownAt, '200 false 4 2 @1')], false)
  return worlds
}

test('makes one of two changes from one version, and shows the version that it has made, and no other', (t) => {
  const both = (one: string, other: string) => () =>
    seen().learn([told(1, change(3, '1'), one), told(2, change(1, '1'), other)], false)
  t.notThrows(both('204 @7', '412 stale @7'))
  t.notThrows(both('412 stale @8', '204 @8'))
  t.throws(both('204 @7', '204 @8'), undefined, 'two of one version')
  t.throws(both('412 stale @7', '412 stale @7'), undefined, 'none of one version')
  t.throws(both('204 @7', '412 stale @8'), undefined, 'it is another version')
  t.throws(both('204 @1', '412 stale @1'), undefined, 'its version is as before')
  const worlds = seen()
  worlds.learn([told(1, change(3, '1'), '204 @7')], false)
  t.throws(() => worlds.learn([told(2, shownAt, '200 false 6 3 @1')], false), undefined, 'it has another version')
  t.throws(() => worlds.learn([told(2, shownAt, '200 false 4 2 @7')], false), undefined, 'it was changed')
  worlds.learn([told(2, shownAt, '200 false 6 3 @7')], false)
  worlds.learn([told(3, change(3, '7'), '204 @7')], false)
  t.throws(() => worlds.learn([told(4, change(3, '7'), '204 @9')], false), undefined, 'it is no change')
  worlds.learn([told(5, change(0), '204 @9'), told(6, look, '200 false 0 0')], false)
})

test('lets pieces leave at what they have cost, and adds them at what they cost now', (t) => {
  const worlds = seen()
  worlds.learn([told(1, setPrice(7), '200')], false)
  worlds.learn([told(2, change(3, '1'), '204 @7')], false)
  worlds.learn([told(3, look, '200 false 11 3')], false)
  worlds.learn([told(4, change(1, '7'), '204 @8')], false)
  t.throws(() => worlds.learn([told(5, look, '200 false 3 1')], false))
  worlds.learn([told(5, look, '200 false 4 1')], false)
})

test('lets a change of which nobody knows be made or not, and none from a version that is past', (t) => {
  const unknown = () => {
    const worlds = seen()
    worlds.learn([told(1, change(3, '1'))], true)
    return worlds
  }
  for (const shown of ['200 false 4 2 @1', '200 false 6 3 @7'])
    t.notThrows(() => unknown().learn([told(2, shownAt, shown)], true))
  t.throws(() => unknown().learn([told(2, shownAt, '200 false 6 3 @1')], true))
  const after = seen()
  after.learn([told(1, checkout(0), '200'), told(2, credit, '200 1')], false)
  t.throws(() => after.learn([told(3, change(3, '1'), '204 @7')], false), undefined, 'it was paid since')
  const refused = openWorlds({ ...small, credit: [3] })
  refused.learn([told(0, shownAt, '200 false 4 2 @1')], false)
  refused.learn([told(1, checkout(0), '402 out-of-credit')], false)
  t.throws(() => refused.learn([told(2, change(3, '1'), '204 @7')], false), undefined, 'it was checked out since')
  refused.learn([told(2, change(3, '1'), '412 stale @6'), told(3, shownAt, '200 false 4 2 @6')], false)
})

test('knows a version that changes in its own time only once that is over', (t) => {
  const worlds = seen()
  worlds.learn([told(1, checkout(0), '424 checkout-cancelled')], true)
  worlds.learn([told(2, shownAt, '200 false 4 2 @5')], true)
  worlds.learn([told(3, change(3, '5'), '412 stale @6')], true)
  worlds.rest()
  worlds.learn([told(4, shownAt, '200 false 4 2 @6')], false)
  t.throws(() => worlds.learn([told(5, change(3, '6'), '412 stale @7')], false), undefined, 'it is at rest')
})

const form: Request = { does: 'find-form', form: 0 }
const withForm = (status: 'MAYBE' | 'PROCESSING', total: number) =>
  openWorlds({ ...small, forms: [{ user: 0, total, status, isTaken: false, isExcused: false }] })

test('tries an order that is placed by form once, in its own time, and says so as long as it lasts', (t) => {
  for (const [total, end, left] of [
    [4, 'APPROVED', 1],
    [6, 'CANCELED', 5],
  ] as const) {
    const worlds = withForm('PROCESSING', total)
    worlds.learn([told(0, form, `200 PROCESSING ${total}`)], false)
    t.throws(() => worlds.learn([told(1, form, `200 ${end === 'APPROVED' ? 'CANCELED' : 'APPROVED'} ${total}`)], false))
    worlds.rest()
    worlds.learn([told(2, form, `200 ${end} ${total}`), told(3, credit, `200 ${left}`)], false)
    t.throws(() => worlds.learn([told(4, fund, '200'), told(5, form, `200 PROCESSING ${total}`)], false))
  }
  const worlds = withForm('PROCESSING', 4)
  worlds.learn([told(0, credit, '200 1')], false)
  worlds.learn([told(1, form, '200 PROCESSING 4')], false)
  t.throws(() => worlds.learn([told(2, form, '200 CANCELED 4')], false), undefined, 'its money is gone')
  worlds.learn([told(2, form, '200 APPROVED 4')], false)
})

test('lets a try be cancelled while something is wrong, and its money come back', (t) => {
  const worlds = withForm('PROCESSING', 4)
  worlds.learn([told(0, credit, '200 1')], true)
  worlds.learn([told(1, form, '200 CANCELED 4')], true)
  worlds.rest()
  worlds.learn([told(2, credit, '200 5')], false)
  t.is(worlds.count(), 1)
})

test('lets an order be placed by form, or not, of which nobody knows', (t) => {
  for (const left of [1, 5]) {
    const worlds = withForm('MAYBE', 4)
    worlds.rest()
    worlds.learn([told(0, credit, `200 ${left}`)], false)
    t.throws(() => worlds.learn([told(1, credit, `200 ${6 - left}`)], false), undefined, 'it was seen')
  }
})

const paidAt = (credit: number) => {
  const worlds = openWorlds({ ...small, credit: [credit] })
  worlds.learn([told(0, checkout(0), '200')], false)
  worlds.learn([told(1, shownAt, '200 true 4 2 @5')], false)
  return worlds
}

test('amends a paid order: more is paid and taken at once, and what leaves comes back', (t) => {
  const more = paidAt(6)
  more.learn([told(2, change(3, '5'), '204 @7'), told(3, credit, '200 0'), told(4, stock, '200 0 2')], false)
  more.learn([told(5, look, '200 true 6 3')], false)
  const less = paidAt(6)
  less.learn([told(2, change(1, '5'), '204 @7')], false)
  less.learn([told(3, look, '200 true 2 1')], false)
  for (const left of [2, 4]) t.notThrows(() => less.learn([told(4, credit, `200 ${left}`)], false))
  less.rest()
  less.learn([told(5, credit, '200 4'), told(6, stock, '200 2 2')], false)
  t.throws(() => paidAt(6).learn([told(2, change(4, '5'), '204 @7')], false), undefined, 'there are not so many')
  paidAt(6).learn([told(2, change(5, '5'), '402 out-of-credit')], false)
  paidAt(20).learn([told(2, change(5, '5'), '409 out-of-stock')], false)
  paidAt(6).learn([told(2, change(0, '5'), '409 order-empty')], false)
  const same = paidAt(6)
  const failing = told(3, change(9, '5'), '402 out-of-credit')
  t.throws(() => same.learn([told(2, change(2, '5'), '204 @8'), failing], false), undefined, 'it is that version still')
  same.learn([told(2, change(2), '204 @8'), failing], false)
  const back = paidAt(6)
  back.learn([told(2, refund(1, 0), '201')], false)
  t.throws(() => back.learn([told(3, change(1, '5'), '204 @7')], false), undefined, 'something went back of it')
  back.learn([told(3, change(1), '409 partly-refunded')], false)
  back.learn([told(4, change(2), '409 partly-refunded')], false)
  const later = paidAt(6)
  later.learn([told(2, change(3, '5'), '204 @7')], false)
  later.learn([told(3, refund(1, 0), '201')], false)
  t.throws(() => later.learn([told(2, change(3, '5'), '204 @5')], false), undefined, 'it was another one before')
  later.learn([told(2, change(3, '5'), '204 @9')], false)
})

test('keeps others from an order only while it is being changed, and lets it be cancelled meanwhile', (t) => {
  const changing = [told(2, change(3, '5'), '204 @7'), told(3, refund(1, 0), '409 order-changing')]
  t.notThrows(() => paidAt(6).learn(changing, false))
  t.throws(() => paidAt(6).learn([told(3, refund(1, 0), '409 order-changing')], false))
  const cancelled = paidAt(6)
  const cancel: Request = { does: 'cancel', order: 0 }
  cancelled.learn([told(2, change(3, '5'), '409 order-cancelled'), told(3, cancel, '200 4')], false)
  cancelled.learn([told(4, credit, '200 4')], false)
  cancelled.rest()
  cancelled.learn([told(5, credit, '200 6'), told(6, stock, '200 3 2')], false)
})
