/**
 * The lives of orders that are over, or have come far, when the Redis of order comes back without them.
 *
 * They are placed, paid, amended, refunded and cancelled, by two replicas that take turns. Then that Redis forgets all of it, or all but
 * the placing and the payment. What payment has emitted, and what either replica was told, must make each order again what it was: with the
 * same lines and sums, contradicting nothing.
 */

import assert from 'node:assert/strict'
import test from 'ava'
import { eventually } from '../support/eventually.ts'
import { strike } from '../support/faults/catalogue.ts'
import { writtenTo } from '../support/faults/older-redis.ts'
import { inParallel } from '../support/load/jobs.ts'
import { type Client, type OrderShown, openClient, type Reply } from '../support/shop/client.ts'
import { type OpenShop, openShop } from '../support/shop/shop.ts'

const WITHIN_MS = 20_000
const JSON_TYPE = { 'Content-Type': 'application/json' }
const CREDIT = 1_000

type Life = readonly string[]
/** What becomes of an order once it is paid. */
const LIVES: readonly Life[] = [
  ['less'],
  ['less', 'more'],
  ['less', 'more', 'return one'],
  ['less', 'more', 'return all'],
  ['less', 'less still'],
  ['more', 'less'],
  ['other'],
  ['less', 'other'],
  ['other', 'less', 'cancel'],
  ['return one'],
  ['return all'],
  ['cancel'],
  ['return one', 'cancel'],
  ['return all', 'cancel'],
  ['less', 'cancel'],
  ['less', 'more', 'return all', 'cancel'],
]

type Subject = { readonly life: Life; readonly user: string; order: string; was: unknown }
type Place = { readonly client: Client; readonly tea: string; readonly cup: string }

const deedsIn = ({ client, tea, cup }: Place): Readonly<Record<string, (order: string) => Promise<Reply>>> => {
  const send = (method: string, path: string, body: unknown, headers = {}) =>
    client.request(method, path, { ...JSON_TYPE, ...headers }, JSON.stringify(body))
  const amend = (quantities: Readonly<Record<string, number>>) => (order: string) => {
    const lines = Object.entries(quantities).map(([item_id, quantity]) => ({ item_id, quantity }))
    return send('PATCH', `/orders/${order}`, { lines }, { 'If-Match': '*' })
  }
  return {
    less: amend({ [tea]: 2 }),
    'less still': amend({ [tea]: 1 }),
    more: amend({ [tea]: 5 }),
    other: amend({ [tea]: 1, [cup]: 4 }),
    'return one': (order) => send('POST', `/orders/${order}/refunds`, { lines: [{ item_id: tea, quantity: 1 }] }),
    'return all': (order) => client.post(`/orders/${order}/refunds`),
    cancel: (order) => client.post(`/orders/${order}/cancel`),
  }
}

type ShownLine = { readonly item_id: string; readonly quantity: number; readonly returned: number }

/** What must stay of an order, whatever its Redis forgets. */
const standing = async (client: Client, { order, user }: Subject) => {
  const shown = (await client.get(`/orders/${order}`)).json as OrderShown & Record<string, unknown>
  const { refunds } = (await client.get(`/orders/${order}/refunds`)).json as { refunds: Record<string, unknown>[] }
  return {
    ...{ status: shown.status, payment_status: shown.payment_status, total_cost: shown.total_cost },
    // What each of several lines has cost is forgotten with the order, unless it was amended.
    lines: (shown.lines as ShownLine[]).map(({ item_id, quantity, returned }) => ({ item_id, quantity, returned })),
    ...{ paid_amount: shown.paid_amount, refunded_amount: shown.refunded_amount },
    refunds: refunds.map(({ refund_id, amount, status }) => ({ refund_id, amount, status })),
    credit: await client.credit(user),
  }
}

const assertConsistent = async ({ client }: OpenShop): Promise<void> => {
  assert.deepEqual((await client.get('/orders/contradictions')).json, { contradictions: [] })
  const { status, text, json } = await client.get('/audit')
  assert.equal(status, 200, text)
  assert.equal((json as { balanced: boolean }).balanced, true, text)
}

for (const forgets of ['everything', 'all that came after the payment'] as const)
  test(`what became of orders is known again to a Redis of order that forgets ${forgets}`, async (t) => {
    t.timeout(120_000)
    const opened = await openShop(t, { replicas: { order: 2 } })
    const { client, shop } = opened
    const redis = shop.part('order-redis')
    const [tea, cup] = [await client.createItem(10, 1_000), await client.createItem(7, 1_000)]
    const deeds = shop.services.order.map(({ port }) => {
      const replica = openClient(`http://127.0.0.1:${port}`)
      t.teardown(replica.close)
      return deedsIn({ client: replica, tea, cup })
    })
    const subjects: Subject[] = await inParallel(LIVES.length, 8, async (at) => {
      return { life: LIVES[at] ?? [], user: await client.createUser(CREDIT), order: '', was: undefined }
    })
    const does = async (subject: Subject, deed: string, at: number): Promise<void> => {
      const { status, text } = (await deeds[at % deeds.length]?.[deed]?.(subject.order)) ?? assert.fail(deed)
      assert.ok(status < 300, `${subject.life}: ${deed}: ${status} ${text}`)
    }
    const pay = async (subject: Subject): Promise<void> => {
      const lines = [tea, cup].map((item_id, at) => ({ item_id, quantity: at === 0 ? 3 : 1 }))
      const body = JSON.stringify({ user_id: subject.user, lines })
      subject.order = ((await client.request('POST', '/orders', JSON_TYPE, body)).json as { id: string }).id
      assert.equal((await client.checkout(subject.order)).status, 200)
    }
    const ofAll = (act: (subject: Subject) => Promise<void>) =>
      inParallel(subjects.length, 4, async (at) => act(subjects[at] ?? assert.fail()))

    let kept = await writtenTo(redis.dir)
    await ofAll(pay)
    if (forgets !== 'everything') kept = await writtenTo(redis.dir)
    await ofAll(async (subject) => {
      for (const [at, deed] of subject.life.entries()) await does(subject, deed, at)
    })
    await ofAll(async (subject) => {
      subject.was = await eventually(async () => {
        const was = await standing(client, subject)
        assert.ok(was.refunds.every(({ status }) => status === 'settled'))
        return was
      }, WITHIN_MS)
    })

    const mend = await strike('lose-tail', [{ part: redis, cut: () => ({ position: kept }), lost: () => undefined }])
    await mend()
    await eventually(async () => {
      for (const subject of subjects)
        assert.deepEqual(await standing(client, subject), subject.was, subject.life.join(', '))
      await assertConsistent(opened)
    }, WITHIN_MS)
    t.pass()
  })
