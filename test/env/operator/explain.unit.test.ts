import test from 'ava'
import type { Answer, Ask } from '../../../env/operator/ask-shop.ts'
import { findSubject, gather } from '../../../env/operator/explain.ts'
import { inWords } from '../../../env/operator/in-words.ts'
import { merge, type Said } from '../../../env/operator/timeline.ts'
import { events, ofDrafts, single } from '../../../shared/contract/events.ts'
import type { Service } from '../../../shared/contract/services.ts'

const saying = (service: Service, kind: string, at = '2026-01-01T00:00:00.000Z'): Said => ({
  service,
  kind,
  at,
  id: '1767225600000-0',
  version: '1',
  log_id: 'it',
  facts: {},
})
const merged = (...logs: readonly (readonly Said[])[]): readonly string[] => merge(logs).map(({ kind }) => kind)

const FIRST: readonly string[] = ['CheckoutSubmitted', 'CheckoutStarted']
for (const service of ['order', 'payment', 'stock'] as const)
  for (const kind of Object.keys(events[service]))
    if (!([...single[service], ...ofDrafts[service]] as readonly string[]).includes(kind) && !FIRST.includes(kind))
      test(`${kind} follows the start of its checkout, also in the same millisecond`, (t) => {
        const [started, other] = [saying('order', 'CheckoutStarted'), saying(service, kind)]
        t.deepEqual(merged([other], [started]), ['CheckoutStarted', kind])
        t.deepEqual(merged([started], [other]), ['CheckoutStarted', kind])
      })

test('each log keeps its order, whatever its clock says', (t) => {
  const early = '2025-12-31T23:59:59.000Z'
  const order = [saying('order', 'CheckoutStarted'), saying('order', 'OrderPaid', early)]
  t.deepEqual(merged(order, [saying('payment', 'CreditHeld')]), ['CheckoutStarted', 'OrderPaid', 'CreditHeld'])
})

/** The time so many milliseconds after the order was made. */
const at = (ms: number): string => new Date(Date.UTC(2026, 0, 1, 23, 59, 59) + ms).toISOString()
const entry = (ms: number, kind: string, log_id: string, facts: Readonly<Record<string, string>> = {}) => ({
  id: `${Date.parse(at(ms))}-0`,
  at: at(ms),
  kind,
  version: '1',
  log_id,
  facts: { order: 'it', ...facts },
})
const standing = (service: Service, state: string, unfinished = false) => ({
  ...{ service, log_id: '', state, begun: at(0), since: at(0), unfinished, recorded: { order: 'it' } },
  ...{ heard: { payment: true }, finding: null, next: null, next_run: null },
})

type Entries = readonly ReturnType<typeof entry>[]
const PAGE = 1_000

/** A shop that says this of the order `it`, which was changed last when the last of its entries was appended. */
const shopOf = (logs: Readonly<Record<string, Entries>>, more: Readonly<Record<string, object>> = {}): Ask => {
  const unknown: Answer = { status: 404, body: { type: 'urn:shop:problem:no-such-saga', title: 'Unknown', detail: '' } }
  const order = logs.orders ?? []
  const own = order.filter(({ facts }) => facts.order === 'it')
  const bodies: Readonly<Record<string, object>> = {
    '/orders/checkouts/it': { log_ids: [] },
    '/orders/it': {
      ...{ status: 'open', user_id: 'anna', total_cost: 15 },
      ...{ created_at: own[0]?.at ?? null, updated_at: own.at(-1)?.at ?? null },
    },
    ...more,
  }
  return async (_, path) => {
    const [, service = '', logId = ''] = /^\/(\w+)\/log\/(.+)$/.exec(path) ?? []
    const said = (logs[service] ?? []).filter(({ log_id }) => log_id === logId)
    if (service !== '') return said.length > 0 ? { status: 200, body: { logs: said } } : unknown
    const [, after] = /^\/orders\/logs\?after=(\d+)-/.exec(path) ?? []
    if (after !== undefined) {
      const page = order.filter(({ id }) => Number(id.split('-')[0]) > Number(after)).slice(0, PAGE)
      return { status: 200, body: { logs: page, next: page.length === PAGE ? page.at(-1)?.id : null } }
    }
    if (path.includes('/dead_letters')) return { status: 200, body: { letters: [], next: null } }
    const body = bodies[path]
    return body ? { status: 200, body } : unknown
  }
}
const explained = async (ask: Ask, readsAll = false) => gather(ask, await findSubject(ask, 'it'), readsAll)
const kinds = ({ timeline }: { readonly timeline: readonly Said[] }): readonly string[] =>
  timeline.map(({ service, kind, log_id }) => `${service}: ${kind} ${log_id}`)

const other = { order: 'other' }
const orderLog: Entries = [
  entry(0, 'OrderPlaced', 'p', { lines: 'tea:2' }),
  entry(1, 'OrderPlaced', 'q', other),
  entry(2, 'OrderChanged', 'c', { lines: 'tea:3' }),
  entry(3, 'CheckoutStarted', 'x'),
  entry(8, 'CheckoutFailed', 'x', { reason: 'out-of-credit' }),
  entry(900, 'CheckoutStarted', 'y'),
  entry(902, 'OrderPaid', 'y'),
  entry(1_500, 'RefundGranted', 'r', { lines: 'tea:1', restock: 'shelf', done_by: 'merchant:key%201' }),
  entry(1_501, 'LineAdded', 'l', other),
]
const paymentLog: Entries = [
  entry(1, 'InvoiceDrafted', 'p'),
  entry(5, 'CreditRefused', 'x'),
  entry(901, 'CreditCaptured', 'y', { invoice: 'I1-17' }),
  entry(1_502, 'CreditRefunded', 'r', { note: 'C1-3' }),
]
const refunding = shopOf(
  { orders: orderLog, payment: paymentLog, stock: [] },
  {
    '/orders/checkouts/it': { log_ids: ['y', 'x'] },
    '/orders/it/refunds': { refunds: [{ refund_id: 'r' }] },
    ...{ '/orders/saga/y': standing('order', 'paid'), '/orders/saga/x': standing('order', 'failed') },
    ...{ '/orders/saga/r': standing('order', 'granted', true), '/payment/saga/r': standing('payment', 'refunded') },
  },
)

test('what was done by hand with an entry that could not be applied is of the timeline, and by whom', async (t) => {
  const letterOf = (id: string, log_id: string, dismissed: string | null) => ({
    ...{ id, at: at(5), speaker: 'order', entry: '5-0', error: 'why', applied: null, dismissed },
    fields: ['CheckoutStarted', `version=1 log_id=${log_id}`],
  })
  const letters = [letterOf('7-0', 'x', at(9)), letterOf('8-0', 'z', at(9)), letterOf('9-0', 'y', null)]
  const dismissed = { publisher: 'order', entry: '5-0', done_by: 'operator:anna' }
  const shop = shopOf({
    orders: orderLog,
    payment: [...paymentLog, ...['7-0', '8-0'].map((id) => entry(9, 'DeadLetterDismissed', `letter-${id}`, dismissed))],
  })
  const ask: Ask = async (method, path) =>
    path.startsWith('/payment/dead_letters') ? { status: 200, body: { letters, next: null } } : shop(method, path)
  const explanation = await explained(ask)
  t.deepEqual(
    kinds(explanation).filter((kind) => kind.includes('DeadLetter')),
    ['payment: DeadLetterDismissed letter-7-0'],
  )
  t.true(inWords(explanation).some((line) => line.includes('(by operator:anna)')))
  t.deepEqual(
    explanation.dead_letters.map(({ name }) => name),
    ['payment:9-0'],
  )
})

test('no name makes a line of its own, or has the terminal do anything', async (t) => {
  const facts = { done_by: 'merchant:a%0Apaid%1B%5B31m', why: '%E6%97%A5%07%C2%9B2J' }
  const lines = inWords(await explained(shopOf({ orders: [entry(0, 'OrderPlaced', 'p', facts)] })))
  t.true(lines.some((line) => line.endsWith('(by merchant:a?paid?[31m) why="日??2J"')))
})

test('a checkout that ended so long ago that no log tells of it is not told as what everybody has lost', async (t) => {
  const shop = shopOf({}, { '/orders/checkouts/it': { log_ids: ['y'] } })
  const words = inWords(await explained(shop))
  t.regex(words[0] ?? '', /; checkout y$/)
  t.deepEqual(words.slice(1), [
    '',
    'no service knows anything of it any more: what has ended is forgotten with its entries (LOG_RETENTION_HOURS)',
  ])
  const known = shopOf({}, { '/orders/checkouts/it': { log_ids: ['y'] }, '/orders/saga/y': standing('order', 'paid') })
  const some = inWords(await explained(known)).join('\n')
  t.regex(some, /^order +paid since .*: nothing more is to be done here$/m)
  t.regex(some, /^payment +knows nothing of it$/m)
})

test('an order: its changes, all its checkouts, refunds and documents are one timeline, and what is unfinished is told', async (t) => {
  const explanation = await explained(refunding)
  t.deepEqual(kinds(explanation), [
    'order: OrderPlaced p',
    'payment: InvoiceDrafted p',
    'order: OrderChanged c',
    'order: CheckoutStarted x',
    'payment: CreditRefused x',
    'order: CheckoutFailed x',
    'order: CheckoutStarted y',
    'payment: CreditCaptured y',
    'order: OrderPaid y',
    'order: RefundGranted r',
    'payment: CreditRefunded r',
  ])
  t.like(explanation, { log_id: 'y', log_ids: ['y', 'x'], refund_ids: ['r'], gap: null })
  t.deepEqual(
    explanation.others.map(({ log_id }) => log_id),
    ['r'],
  )
  const words = inWords(explanation).join('\n')
  t.regex(words, /^Order it of user anna, 15 in all, is open; checkout y; others of this order: x; refunds: r$/m)
  t.regex(words, /^2026-01-01 UTC$[\s\S]*^23:59:59\.902 {2}order +OrderPaid +y$\n^2026-01-02 UTC$\n^00:00:00\.500 /m)
  t.regex(words, /^00:00:00\.500 {2}order +RefundGranted +r +.*restock=shelf \(by merchant:key 1\)$/m)
  t.regex(words, /^00:00:00\.502 {2}payment {2}CreditRefunded +r +note=C1-3$/m)
  t.regex(
    words,
    /^refund r$\n^ids +knows nothing of it$\n^order +granted since .*: the log parser waits for an answer$/m,
  )
})

test('an amendment is told as one, with what it asks of payment and stock, what the order is then, and what goes back', async (t) => {
  const facts = { amends: '1', back: 'cup:1', costs: 'tea:45' }
  const amending = shopOf(
    {
      orders: [
        entry(0, 'OrderPlaced', 'p', { lines: 'tea:2,cup:1' }),
        entry(1, 'CheckoutStarted', 'y'),
        entry(3, 'OrderPaid', 'y'),
        entry(10, 'CheckoutStarted', 'a', { ...facts, lines: 'tea:1' }),
        entry(12, 'OrderPaid', 'a', { invoice: 'I1-18' }),
        entry(13, 'OrderAmended', 'a', { lines: 'tea:3' }),
        entry(14, 'RefundGranted', 'a-back', { lines: 'cup:1', restock: 'shelf', amends: '1' }),
      ],
      payment: [entry(2, 'CreditCaptured', 'y'), entry(11, 'CreditCaptured', 'a', facts)],
    },
    {
      '/orders/checkouts/it': { log_ids: ['a', 'y'] },
      '/orders/it/refunds': { refunds: [{ refund_id: 'a-back' }] },
      '/orders/saga/a': standing('order', 'paid'),
      '/payment/saga/a': standing('payment', 'held', true),
    },
  )
  const explanation = await explained(amending)
  t.deepEqual(kinds(explanation).slice(4), [
    'order: CheckoutStarted a',
    'payment: CreditCaptured a',
    'order: OrderPaid a',
    'order: OrderAmended a',
    'order: RefundGranted a-back',
  ])
  t.regex(inWords(explanation)[0] ?? '', /; amendment a; others of this order: y; refunds: a-back$/)
})

test('one saga of an order is told alone by its own log id', async (t) => {
  const explanation = await gather(refunding, await findSubject(refunding, 'r'))
  t.deepEqual(kinds(explanation), ['order: RefundGranted r', 'payment: CreditRefunded r'])
  t.regex(inWords(explanation)[0] ?? '', /; refund r; others of this order: y x$/)
})

test('an order that was filled over a long time: what was not looked for is told, and found if it is wanted', async (t) => {
  const strange = Array.from({ length: 25_000 }, (_, n) => entry(n + 1, 'LineAdded', `s${n}`, other))
  const shop = shopOf({
    orders: [
      entry(0, 'OrderCreated', 'o'),
      ...strange.slice(0, 15_000),
      entry(15_000, 'LineAdded', 'm'),
      ...strange.slice(15_000),
      entry(30_000, 'OrderCancelled', 'e'),
    ],
  })
  const some = await explained(shop)
  t.deepEqual(kinds(some), ['order: OrderCreated o', 'order: OrderCancelled e'])
  t.deepEqual(some.gap, { from: at(10_000 - 1), to: at(30_000) })
  t.regex(inWords(some).join('\n'), /from \S+:08\.999Z to \S+Z besides was not looked for: --all looks/)
  const all = await explained(shop, true)
  t.deepEqual(kinds(all), ['order: OrderCreated o', 'order: LineAdded m', 'order: OrderCancelled e'])
  t.is(all.gap, null)
})

test('what was done with an order is found, also if its entries are not of the very milliseconds that the order shows', async (t) => {
  const [made, filled] = [entry(0, 'OrderCreated', 'o'), entry(PAGE + 2, 'LineAdded', 'l')]
  const strange = Array.from({ length: 2 * PAGE }, (_, n) => entry(n + 1, 'LineAdded', `s${n}`, other))
  const orders = [made, ...strange.slice(0, PAGE + 1), filled, ...strange.slice(PAGE + 1)]
  for (const apartMs of [-3, 3]) {
    const shows = { created_at: at(apartMs), updated_at: at(PAGE + 2 + apartMs) }
    const order = { status: 'open', user_id: 'anna', total_cost: 15, ...shows }
    t.deepEqual(
      kinds(await explained(shopOf({ orders }, { '/orders/it': order }))),
      ['order: OrderCreated o', 'order: LineAdded l'],
      `${apartMs} ms apart`,
    )
  }
})

test('what is known of an order is told, though its service does not answer any more when it is asked for the saga', async (t) => {
  const isAway = (path: string): boolean => path === '/orders/saga/y'
  const shop: Ask = async (method, path) =>
    isAway(path) ? { status: 503, body: { title: 'Nothing was done' } } : refunding(method, path)
  const found = kinds(await explained(shop))
  t.true(found.includes('order: OrderChanged c') && found.includes('payment: CreditCaptured y'))
  t.false(found.includes('order: OrderPaid y'))
})
