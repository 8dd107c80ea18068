/**
 * What does not add up, by name?
 *
 * Only asked once the sums do not: every checkout of which something is recorded is compared over the three services, and
 * every paid order's user and items are looked for at their owners, as far as there is time.
 */
import type { Auditor } from '../../shared/audit/auditor.ts'
import type { Mismatch } from '../../shared/contract/queries.ts'
import type { Order } from '../order.ts'
import type { AuditedPeer } from './audited-peers.ts'
import { disagreement } from './totals.ts'

/** The most orders that an audit names of one kind of mismatch. */
export const NAMED_MAX = 100
/** How long owners are asked, and then checkouts compared, to name those that differ. */
const NAMING_MS = 8_000
const OWNERS_MS = 3_000
const PAGE = 100

export type AuditedPeers = Readonly<Record<'payment' | 'stock', AuditedPeer>>

export type NamingOptions = {
  readonly auditor: Auditor
  readonly audited: AuditedPeers
  readonly find: (order: string) => Promise<Order | undefined>
  /** Checkouts that may still move, whose parts need not agree. */
  readonly open: ReadonlySet<string>
  /** The ids of orders that are paid. */
  readonly paid: readonly string[]
}

/** Names paid orders whose user payment does not know, or whose items stock does not. */
const orphans = async ({ audited, find, paid }: NamingOptions): Promise<readonly Mismatch[]> => {
  const deadline = performance.now() + OWNERS_MS
  const found: Mismatch[] = []
  for (let first = 0; first < paid.length && found.length < NAMED_MAX && performance.now() < deadline; first += PAGE) {
    const orders = (await Promise.all(paid.slice(first, first + PAGE).map(find))).filter((one) => one !== undefined)
    const [users, items] = await Promise.all([
      audited.payment.absent([...new Set(orders.map(({ user_id }) => user_id))]),
      audited.stock.absent([...new Set(orders.flatMap((order) => order.items.map(([item]) => item)))]),
    ])
    for (const { order_id, user_id, items: lines } of orders) {
      const item = lines.find(([one]) => items.has(one))?.[0]
      const unknown = [
        ...(users.has(user_id) ? [`payment knows no user ${user_id}`] : []),
        ...(item === undefined ? [] : [`stock knows no item ${item}`]),
      ]
      if (unknown.length > 0)
        found.push({
          what: 'order',
          detail: `order ${order_id} is paid, but ${unknown.join(', and ')}`,
          orders: [order_id],
        })
    }
  }
  return found.slice(0, NAMED_MAX)
}

/** Compares what the three have recorded of every checkout, and names those that differ. */
const differing = async (options: NamingOptions, deadline: number): Promise<readonly Mismatch[]> => {
  const { auditor, audited, open } = options
  const { payment, stock } = audited
  const found = new Map<string, Mismatch>()
  const isDone = (): boolean => found.size >= NAMED_MAX || performance.now() > deadline
  const compare = async (ids: readonly string[]): Promise<void> => {
    // Order's first: once it has decided, the others have done their part.
    const own = new Map((await auditor.records(ids)).map(({ log_id, fields }) => [log_id, fields]))
    const [byPayment, byStock] = await Promise.all([payment.records(ids), stock.records(ids)])
    for (const id of ids) {
      const detail = disagreement(own.get(id) ?? {}, byPayment.get(id) ?? {}, byStock.get(id) ?? {})
      if (detail === undefined) continue
      const order = own.get(id)?.order ?? byPayment.get(id)?.order ?? byStock.get(id)?.order
      found.set(id, {
        what: 'checkout',
        detail: `checkout ${id}: ${detail}`,
        orders: order === undefined ? [] : [order],
      })
    }
  }
  for (const recordsPage of [auditor.recordsPage, payment.recordsPage, stock.recordsPage])
    for (let cursor = '0', done = false; !done; done = cursor === '0' || isDone()) {
      const { next, records } = await recordsPage(cursor)
      await compare(records.map(({ log_id }) => log_id).filter((id) => !open.has(id)))
      cursor = next
    }
  const named = [...found.values()].slice(0, NAMED_MAX)
  if (performance.now() <= deadline) return named
  return [...named, { what: 'checkout', detail: 'there were more checkouts than could be compared', orders: [] }]
}

export const namesOf = async (options: NamingOptions): Promise<readonly Mismatch[]> => {
  const deadline = performance.now() + NAMING_MS
  const unowned = await orphans(options)
  return [...(await differing(options, deadline)), ...unowned]
}
