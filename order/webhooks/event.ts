/**
 * What is told of an entry, and by which name?
 *
 * The entries of order's log are for the other services, and may get other names and facts. What is told outside is this table: a public
 * type for each kind of entry that is of interest, and its facts in the words of the API. It is a CloudEvent 1.0.
 */
import type { KindOf } from '../../shared/contract/events.ts'
import { parseLines } from '../../shared/contract/lines.ts'
import { fieldsOf, kindOf, type RawEntry } from '../../shared/contract/raw-entry.ts'

const KIND_OF = {
  'shop.order.created': 'OrderCreated',
  'shop.order.placed': 'OrderPlaced',
  'shop.order.line_added': 'LineAdded',
  'shop.order.changed': 'OrderChanged',
  'shop.order.amended': 'OrderAmended',
  'shop.order.paid': 'OrderPaid',
  'shop.order.cancelled': 'OrderCancelled',
  'shop.order.expired': 'OrderExpired',
  'shop.checkout.submitted': 'CheckoutSubmitted',
  'shop.checkout.started': 'CheckoutStarted',
  'shop.checkout.failed': 'CheckoutFailed',
  'shop.checkout.cancelled': 'CheckoutCancelled',
  'shop.checkout.undone': 'CheckoutClosed',
  'shop.checkout.contradicted': 'CheckoutContradicted',
  'shop.checkout.resolved': 'CheckoutResolved',
  'shop.refund.granted': 'RefundGranted',
  'shop.refund.settled': 'RefundSettled',
} as const satisfies Readonly<Record<string, KindOf<'order'>>>

export type EventType = keyof typeof KIND_OF

/** In the order in which they are documented. */
export const EVENT_TYPES = Object.keys(KIND_OF) as readonly EventType[] as readonly [EventType, ...EventType[]]
/** What is sent when an operator wants to see that it arrives: of no entry. */
const TEST_TYPE = 'shop.webhook.test'

const TYPE_OF: ReadonlyMap<string, EventType> = new Map(EVENT_TYPES.map((type) => [KIND_OF[type], type]))

export type CloudEvent = {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: '/orders'
  readonly type: EventType | typeof TEST_TYPE
  readonly subject: string
  readonly time: string
  readonly datacontenttype: 'application/json'
  readonly data: Readonly<Record<string, unknown>>
}

type Told = readonly [name: string, read: (text: string) => unknown]
const asText = (text: string): string | null => (text === '' ? null : text)
const asLines = (text: string) => parseLines(text).map(([item_id, quantity]) => ({ item_id, quantity }))
/** Nothing in a log may keep what comes behind it from being told. */
const asTime = (text: string): string | null => (/^\d{1,15}$/.test(text) ? new Date(Number(text)).toISOString() : null)

/** Each fact that is told, and how. What is not listed is not: who of the shop has done it, and what services need among themselves. */
const TOLD: Readonly<Record<string, Told>> = {
  order: ['order_id', asText],
  user: ['user_id', asText],
  item: ['item_id', asText],
  quantity: ['quantity', Number],
  price: ['price', Number],
  total: ['total', Number],
  lines: ['lines', asLines],
  method: ['method', asText],
  installments: ['installments', Number],
  reason: ['reason', asText],
  by: ['by', asText],
  invoice: ['invoice', asText],
  note: ['credit_note', asText],
  restock: ['restock', asText],
  deadline: ['deadline', asTime],
}

const cloudEvent = (event: Pick<CloudEvent, 'id' | 'type' | 'subject' | 'data'>, atMs: number): CloudEvent => ({
  specversion: '1.0',
  ...event,
  source: '/orders',
  time: new Date(atMs).toISOString(),
  datacontenttype: 'application/json',
})

/** What is told of an entry to a receiver that wants these types; `undefined` if that is nothing. */
export const eventOf = (entry: RawEntry, wanted: readonly string[]): CloudEvent | undefined => {
  const type = TYPE_OF.get(kindOf(entry) ?? '')
  if (type === undefined || !wanted.includes(type)) return undefined
  const facts = new Map(fieldsOf(entry))
  const told = [...facts].flatMap(([name, text]): (readonly [string, unknown])[] => {
    const [as, read] = TOLD[name] ?? []
    return as === undefined || read === undefined ? [] : [[as, read(text)]]
  })
  const [id] = entry
  const data = { log_id: facts.get('log_id') ?? null, ...Object.fromEntries(told) }
  return cloudEvent({ id: `order-${id}`, type, subject: facts.get('order') ?? '', data }, Number.parseInt(id, 10))
}

export const testEvent = (webhook: string, id: string, atMs: number): CloudEvent =>
  cloudEvent({ id: `test-${id}`, type: TEST_TYPE, subject: webhook, data: { webhook_id: webhook } }, atMs)
