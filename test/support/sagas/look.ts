/**
 * `look` prints what there is: what everybody owns, what became of each checkout, and whether the ledgers agree; `drafts` what the
 * invoices of orders are to be, as payment and order know it.
 */
import { PARTICIPANTS } from '../../../shared/contract/services.ts'
import { ledgerOf } from '../checker/ledgers.ts'
import { recordsIn } from '../checker/records.ts'
import type { Command, Scene } from './scene.ts'

const wallets = async ({ services, users, print }: Scene): Promise<void> => {
  for (const user of users) {
    const { credit } = (await services.stores.payment.find(user)) ?? {}
    const held = Number(await services.redis.payment.hget(`user:${user}`, 'held'))
    print(`user ${user}: ${credit ?? 'unknown'}${held > 0 ? `, ${held} held` : ''}`)
  }
}

const goods = async ({ services, items, print }: Scene): Promise<void> => {
  const pieces = await Promise.all(
    [...items.keys()].map(async (item) => `${item} ${(await services.stores.stock.find(item))?.stock ?? 'unknown'}`),
  )
  print(`stock: ${pieces.join(', ')}`)
}

const purchases = async ({ services, orders, print }: Scene): Promise<void> => {
  for (const id of orders.keys()) {
    const found = await services.stores.order.readForCheckout(id)
    if (found === undefined) {
      print(`order ${id}: unknown`)
      continue
    }
    const { status, saga, lines } = found
    const [returned, refunded] = await services.redis.order.hmget(`order:${id}`, 'returned', 'refunded')
    const refund = refunded == null ? '' : `, refunded ${refunded}${returned ? ` for ${returned}` : ''}`
    print(`order ${id}: ${status}${saga === '' ? '' : ` (${saga})`}, ${lines || 'no lines'}${refund}`)
  }
}

const sagas = async ({ services, sagas: ids, print }: Scene): Promise<void> => {
  const records = await Promise.all(
    PARTICIPANTS.map((participant) => recordsIn(services.redis[participant], participant)),
  )
  for (const id of ids) {
    const states = PARTICIPANTS.flatMap((participant, at) => {
      const state = records[at]?.get(id)?.state
      return state === undefined ? [] : [`${participant} ${state}`]
    })
    print(`saga ${id}: ${states.join(', ') || 'not recorded'}`)
  }
}

const leftovers = async ({ services, print }: Scene): Promise<void> => {
  for (const participant of PARTICIPANTS) {
    const open = await services.redis[participant].zrange('sagas:open', '0', '-1')
    if (open.length > 0) print(`unfinished in ${participant}: ${open.toSorted().join(' ')}`)
    const dead = await services.logs[participant].dead.count()
    if (dead > 0) print(`dead letters of ${participant}: ${dead}`)
  }
  const contradicted = await services.stores.order.contradicted()
  for (const { order_id, log_id, by } of contradicted) print(`contradicted: ${order_id} by ${log_id}, ${by}`)
}

const ledger = async ({ services: { redis }, print }: Scene): Promise<void> => {
  const [order, payment, stock] = [
    await ledgerOf(redis.order),
    await ledgerOf(redis.payment),
    await ledgerOf(redis.stock),
  ]
  const accepted = order('accepted-paid') > 0n ? `, accepted ${order('accepted-paid')}` : ''
  const writtenOff = stock('written-off') > 0n ? `, written off ${stock('written-off')}` : ''
  print(
    `ledger: charged ${payment('charged')}, paid ${order('paid')}${accepted}; taken ${stock('taken')}, sold ${order('sold')}${writtenOff}`,
  )
}

const drafts = async ({ services: { stores }, orders, print }: Scene): Promise<void> => {
  for (const order of orders.keys()) {
    const wanted = { order, user: undefined, after: undefined, limit: 10 }
    const { documents } = await stores.payment.invoices.list(wanted)
    const kept = documents.map(({ number, status, total }) => `${number ?? status} ${total}`).join(', ') || 'nothing'
    const { invoice = null, lines_version: version = null } = (await stores.order.show(order)) ?? {}
    const isWhole = version !== null && invoice?.order_version === version
    const shown = invoice === null ? 'nothing' : `${invoice.number ?? invoice.status} ${invoice.total}`
    print(`invoice of ${order}: payment has ${kept}; order shows ${shown}${isWhole ? ', as it is' : ''}`)
  }
}

export const look = (scene: Scene): Readonly<Record<string, Command>> => ({
  look: async () => {
    for (const tell of [wallets, goods, purchases, sagas, leftovers, ledger]) await tell(scene)
  },
  drafts: () => drafts(scene),
})
