/** What an operator is told of a checkout, and what becomes of it by a retry or a cancellation. */

import assert from 'node:assert/strict'
import test from 'ava'
import type { Part } from '../../../env/local/managed-process.ts'
import type { Explanation, View } from '../../../env/operator/explain.ts'
import type { Service } from '../../../shared/contract/services.ts'
import type { LogEntry } from '../../../shared/log/entry.ts'
import { proveInvariants } from '../../support/checker/invariants.ts'
import { eventually } from '../../support/eventually.ts'
import { type Cart, type Client, problemOf, type Reply, type Wishes } from '../../support/shop/client.ts'
import { operatorOf, terminal } from '../../support/shop/operator.ts'
import { shareShop } from '../../support/shop/shop.ts'

const TOKEN = 'a-token-of-operators'
const opened = shareShop(test, {
  env: {
    all: { OPERATOR_TOKEN: TOKEN },
    order: { CHECKOUT_DEADLINE_MS: '40000' },
    gateway: { GATEWAY_WAIT_MS: '1000' },
  },
})

const operator = () => operatorOf(opened(), TOKEN)
const only = (service: Service): Part => opened().shop.part(`${service}-1`)
const explain = (what: string): Promise<Explanation> => operator().json('explain', what)

const seed = (client: Client, wishes: Wishes = {}): Promise<Cart> => client.createCart({ quantity: 2, ...wishes })

/** Who said what, in the order of the timeline. */
const toldBy = ({ timeline }: Explanation): readonly string[] =>
  timeline.map(({ service, kind }) => `${service}: ${kind}`)
const statusIn = ({ views }: Explanation, service: Service) => {
  const view = views.find((one) => one.service === service) as View
  if (view.is !== 'known') throw new Error(`${service} is ${view.is}`)
  return view.standing
}
const statesIn = ({ views }: Explanation): readonly string[] =>
  views.map((view) => `${view.service}: ${view.is === 'known' ? view.standing.state : view.is}`)

/** How an order was filled by `createCart`. */
const FILLED = ['order: OrderCreated', 'order: LineAdded']

const HUNG_MS = 15_000
/** At the first run of the log parser two seconds after it was said: seven seconds, and the time to look. */
const TOLD_AGAIN_MS = 15_000

/** Begins a checkout that cannot end, because stock does not read of it. */
const hang = async () => {
  const seeded = await seed(opened().client)
  only('stock').freeze()
  const checkout: Promise<Reply> = opened().client.checkout(seeded.order)
  const hung = await eventually(async () => {
    const explanation = await explain(seeded.order)
    assert.ok(toldBy(explanation).includes('payment: CreditHeld'))
    // A subscriber reports once a second how far it has read.
    assert.ok(statusIn(explanation, 'order').heard.payment)
    assert.ok(statusIn(explanation, 'payment').heard.order)
    return explanation
  }, HUNG_MS)
  return { ...seeded, checkout, hung }
}

/**
 * When order said for the first time since then that the checkout started. Its log is read for it: a timeline has only the
 * last time, and takes seconds while a service is frozen, in which it may have been told once more.
 */
const firstToldAgain = async (logId: string | null, since: string): Promise<LogEntry | undefined> => {
  const { json } = await opened().client.get(`/orders/logs?after=${Date.parse(since)}-0`, {
    authorization: `Bearer ${TOKEN}`,
  })
  const { logs } = json as { logs: readonly LogEntry[] }
  return logs.find(({ log_id, kind, at }) => log_id === logId && kind === 'CheckoutStarted' && at > since)
}

test.serial('a paid checkout: one timeline of all logs, and nothing more to be done', async (t) => {
  const { client } = opened()
  const { order, user, item } = await seed(client)
  t.is((await client.checkout(order)).status, 200)
  const explanation = await explain(order)
  t.deepEqual(toldBy(explanation), [
    ...FILLED,
    'order: CheckoutStarted',
    'payment: CreditHeld',
    'stock: StockTaken',
    'payment: CreditCaptured',
    'order: OrderPaid',
  ])
  t.deepEqual(statesIn(explanation), ['ids: unknown', 'order: paid', 'payment: captured', 'stock: taken'])
  t.like(explanation, { order_id: order, order: { status: 'paid', user_id: user, total_cost: 10 } })
  const { out } = await operator().saga('explain', order)
  t.regex(out, new RegExp(`^Order ${order} of user ${user}, 10 in all, is paid; checkout ${explanation.log_id}\n`))
  t.regex(out, /^\d{4}-\d\d-\d\d UTC$/m)
  const held = `payment  CreditHeld +${explanation.log_id} +lines=${item}:2`
  t.regex(out, new RegExp(`^\\d\\d:\\d\\d:\\d\\d\\.\\d{3}  ${held}$`, 'm'))
  t.regex(out, /^order +paid since \d\d:\d\d:\d\d\.\d{3}: nothing more is to be done here$/m)
  t.regex(out, /^ids +knows nothing of it$/m)
  t.false(out.includes('\u001B'), 'colours are for terminals')
  const byLogId = await explain(explanation.log_id ?? '')
  t.deepEqual(byLogId.timeline, explanation.timeline.slice(FILLED.length), 'a log id is meant alone')
  t.is(byLogId.order_id, order)
})

test.serial('refused checkouts: each with its reason, and the ones before it by name', async (t) => {
  const { client } = opened()
  const { order, user, item } = await seed(client, { credit: 9, stock: 1 })
  t.is((await client.checkout(order)).status, 402)
  const first = await explain(order)
  t.deepEqual(toldBy(first), [...FILLED, 'order: CheckoutStarted', 'payment: CreditRefused', 'order: CheckoutFailed'])
  t.regex((await operator().saga('explain', order)).out, /^order +failed \(out-of-credit\) since/m)

  await client.post(`/payment/add_funds/${user}/1`)
  t.is((await client.checkout(order)).status, 409)
  const second = await explain(order)
  t.deepEqual(toldBy(second).slice(-3), ['stock: StockRefused', 'payment: CreditVoided', 'order: CheckoutFailed'])
  t.deepEqual(second.log_ids, [second.log_id, first.log_id])
  t.deepEqual(second.timeline.slice(0, first.timeline.length), first.timeline, 'of both there is one timeline')
  const { out } = await operator().saga('explain', order)
  t.regex(out, new RegExp(`^order +failed \\(out-of-stock of ${item}\\) since`, 'm'))
  t.true(out.includes(`others of this order: ${first.log_id}`))
})

test.serial('an order that was not checked out yet is shown as such', async (t) => {
  const { order } = await seed(opened().client)
  const { code, out } = await operator().saga('explain', order)
  t.is(code, 0)
  t.regex(out, /^\S+ {2}order {2}OrderCreated .*\n\S+ {2}order {2}LineAdded .* quantity=2 price=5$/m)
  t.regex(out, /is open; it was not checked out/)
})

test.serial(
  'a checkout that hangs: it is told who is waited for, and what comes next and when; and so it comes',
  async (t) => {
    const { order, checkout, hung } = await hang()
    const { out } = await operator().saga('explain', order)
    t.regex(out, /^payment +held since .*: the log parser waits until stock has heard it$/m)
    t.regex(out, /^stock +does not answer \(.+\)$/m)
    t.regex(out, /^order +checking-out since .*the log parser will say it again at its run at \d\d:\d\d:\d\d$/m)
    const { next, since } = statusIn(hung, 'order')
    t.is(next?.repair, 'tell-again')
    const again = await eventually(async () => {
      const told = await firstToldAgain(hung.log_id, since ?? '')
      assert.ok(told, 'it was not said again')
      return told
    }, TOLD_AGAIN_MS)
    const lateMs = Date.parse(again.at) - Date.parse(next?.at ?? '')
    t.true(lateMs >= 0 && lateMs < 1_000, `it came ${lateMs} ms after what was foretold`)
    only('stock').thaw()
    t.is((await checkout).status, 200)
    t.is(statusIn(await explain(order), 'order').state, 'paid')
  },
)

test.serial('a checkout that hangs, retried: what is unfinished is said again at once', async (t) => {
  const { order, checkout, hung } = await hang()
  const listed = await eventually(async () => {
    const { code, out } = await operator().saga('list')
    assert.ok(out.includes(order))
    return { code, out }
  }, HUNG_MS)
  t.is(listed.code, 0)
  t.regex(listed.out, new RegExp(`^\\S+Z +${order} +${hung.log_id} +checking-out in order: `, 'm'))
  t.regex(listed.out, new RegExp(`^\\S+Z +${order} +${hung.log_id} +held in payment: `, 'm'))
  const retried = await operator().saga('retry', order)
  t.is(retried.code, 2, 'stock could not be asked')
  t.regex(retried.out, /^order said its last entry again$/m)
  t.regex(retried.out, /^payment said its last entry again$/m)
  t.regex(retried.out, /^stock does not answer/m)
  /** Of what is said again and again only the last time is recorded. */
  const last = (explanation: Explanation, kind: string) =>
    explanation.timeline.findLast((entry) => entry.kind === kind)?.at ?? ''
  const after = await explain(order)
  t.true(last(after, 'CheckoutStarted') > last(hung, 'CheckoutStarted'))
  t.true(last(after, 'CreditHeld') > last(hung, 'CreditHeld'))
  only('stock').thaw()
  t.is((await checkout).status, 200)
  const finished = await eventually(async () => {
    const ran = await operator().saga('retry', order)
    assert.equal(ran.code, 0)
    return ran
  }, HUNG_MS)
  t.regex(finished.out, /is finished everywhere: nothing is to be done/)
})

test.serial(
  'a checkout that hangs, cancelled: who waits is told so, and it is undone; it can be paid afterwards',
  async (t) => {
    const { client } = opened()
    const { order, checkout, user, item, hung } = await hang()
    const cancelled = await operator().saga('cancel', order)
    t.deepEqual([cancelled.code, cancelled.said], [0, ''])
    t.regex(cancelled.out, /is cancelled; what was done for it is being undone/)
    const reply = await checkout
    t.is(reply.status, 424)
    t.is(problemOf(reply).title, 'Cancelled by an operator')
    t.is(reply.headers['x-log-id'], hung.log_id)
    const again = await operator().saga('cancel', order)
    t.is(again.code, 1)
    t.regex(again.out, /the checkout is decided: checkout ".+" was decided before: it is (cancelling|closed)/)
    t.regex((await operator().saga('explain', order)).out, /^order +(cancelling|closed) \(operator\) since/m)
    only('stock').thaw()
    await eventually(async () => assert.equal(statusIn(await explain(order), 'order').state, 'closed'), HUNG_MS)
    t.is((await client.checkout(order)).status, 200)
    t.deepEqual([await client.credit(user), await client.stock(item)], [90, 8])

    const paid = await operator().saga('cancel', order)
    t.is(paid.code, 1)
    t.regex(paid.out, /it is paid/)
    t.is((await client.order(order)).status, 'paid')
  },
)

test.serial('afterwards all promises hold', async (t) => {
  await proveInvariants(t, opened(), { seededByClientOnly: false })
})

const refusals: readonly (readonly [what: string, line: readonly string[], sentence: RegExp, code?: number])[] = [
  ['an unknown order', ['explain', 'nobodys'], /^there is no order and no checkout "nobodys"$/, 1],
  [
    'an order with a dash in front',
    ['explain', '-KE-jg8605AySrvjYE_vP'],
    /^there is no order.* "-KE-jg8605AySrvjYE_vP"$/,
    1,
  ],
  ['an order with two dashes', ['cancel', '--E-jg8605AySrvjYE_vP'], /^there is no order.* "--E-jg8605AySrvjYE_vP"$/, 1],
  ['a malformed order', ['cancel', 'no/order'], /^"no\/order" is neither an order nor a log id/],
  [
    'an unknown dead letter',
    ['dead', 'retry', 'payment:1700000000000-0'],
    /^there is no dead letter payment:1700000000000-0$/,
    1,
  ],
  ['a malformed dead letter', ['dead', 'retry', 'payment'], /^"payment" is no dead letter: they are named as/],
  ['an unknown word', ['resurrect', 'it'], /^there is no "resurrect"; --help/],
  ['no word', [], /^say what to do; --help/],
  ['no word for dead letters', ['dead'], /^say what to do; --help/],
  ['a missing order', ['explain'], /^"explain" wants an order or a log id; --help/],
  ['an unknown option', ['explain', 'it', '--fast'], /--fast.*--help/],
  ['another token', ['explain', 'it', '--token', 'guessed'], /^this is not the operator token/],
  ['no token', ['explain', 'it', '--token', ''], /^the shop wants an operator token: give --token/],
]
for (const [what, line, sentence, wanted = 2] of refusals)
  test.serial(`${what}: one clear sentence and exit code ${wanted}`, async (t) => {
    const { code, out, said } = await operator().saga(...line)
    t.deepEqual([code, out], [wanted, ''])
    t.regex(said.trimEnd(), sentence)
    t.is(said.split('\n').length, 2)
  })

test.serial('a service that is away: what the others know is shown, and it is told', async (t) => {
  const { order } = await seed(opened().client)
  await opened().client.checkout(order)
  const { log_id } = await explain(order)
  await only('payment').kill()
  const unknown = await operator().saga('explain', 'nobodys')
  t.deepEqual([unknown.code, unknown.out], [2, ''])
  t.is(unknown.said, 'there is no order "nobodys"; whether a checkout, payment cannot tell now\n')
  await only('order').kill()
  const byOrder = await operator().saga('explain', order)
  t.is(byOrder.code, 2)
  t.regex(byOrder.said, /^order does not answer \(.+\)\n$/)
  await only('order').start()
  const { code, out } = await operator().saga('explain', log_id ?? '')
  t.is(code, 0)
  t.regex(out, /^payment +does not answer \(.+\)$/m)
  t.regex(out, /OrderPaid/)
  const list = await operator().saga('dead', 'list')
  t.is(list.code, 2)
  t.regex(list.out, /payment does not answer/)
})

test('a shop that is away: one clear sentence and exit code 2', async (t) => {
  const { code, said } = await terminal('saga.ts')('explain', 'it', '--url', 'http://127.0.0.1:1')
  t.is(code, 2)
  t.regex(said, /^no shop answers at http:\/\/127\.0\.0\.1:1 \(ECONNREFUSED\)\n$/)
})
