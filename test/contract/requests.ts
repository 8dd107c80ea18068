/**
 * Which requests are shown to a stranger, in which order, and with which values?
 *
 * First a *visit*: each request follows from those before, and succeeds. Then whatever else the shop can be asked, by services. Each
 * row is asked once. Values in braces are variables, which the answers before have filled.
 */
import { type NamedRow, ROWS } from '../support/rows.ts'
import { idOf, wantsKey } from './document.ts'
import { parameterOf } from './schemas.ts'

/** Where in an answer is what a variable is to be: `documents[0].number`. */
type Kept = Readonly<Record<string, string>>
type Values = Readonly<Record<string, string>>
type Example = {
  readonly params?: Values
  readonly query?: Values
  readonly headers?: Values
  readonly body?: unknown
  readonly keeps?: Kept
}

export type ShownRequest = {
  readonly id: string
  readonly folder: string
  readonly row: NamedRow
  /** From the root, with variables in double braces. */
  readonly path: string
  readonly query: Values
  /** What else may stand in the query. */
  readonly others: readonly string[]
  readonly headers: Values
  readonly body: string | undefined
  readonly keeps: Kept
  /** With which statuses it succeeds, if it must. */
  readonly succeeds: readonly number[] | undefined
}

/** What variables are before an answer has filled them. */
export const SETTINGS = { SHOP: 'http://127.0.0.1:8000', TOKEN: 'none' } as const

const line = (quantity: number) => ({ lines: [{ item_id: '{{ITEM_ID}}', quantity }] })

/** The visit, in order. */
const VISIT: Readonly<Record<string, Example>> = {
  createUser: { keeps: { USER_ID: 'user_id' } },
  addFunds: { params: { amount: '100' } },
  findUser: {},
  createItem: { params: { price: '5' }, keeps: { ITEM_ID: 'item_id' } },
  addStock: { params: { amount: '10' } },
  findItem: {},
  createOrder: { keeps: { ORDER_ID: 'order_id' } },
  addItem: { params: { quantity: '3' } },
  findOrder: {},
  checkout: {},
  showCheckout: { keeps: { LOG_ID: 'log_id' } },
  showOrder: {},
  listInvoices: { query: { order: '{{ORDER_ID}}' }, keeps: { INVOICE: 'documents[0].number' } },
  findInvoice: { params: { number: '{{INVOICE}}' } },
  changeOrder: { body: line(2), headers: { Prefer: 'return=representation' } },
  refundOrder: { body: { ...line(1), reason: 'broken' }, keeps: { REFUND_ID: 'refund_id' } },
  showRefund: {},
  listCreditNotes: { query: { order: '{{ORDER_ID}}' }, keeps: { CREDIT_NOTE: 'documents[0].number' } },
  findCreditNote: { params: { number: '{{CREDIT_NOTE}}' } },
  placeOrder: {
    body: { user_id: '{{USER_ID}}', ...line(2), method: 'credit_card', installments: 2 },
    keeps: { PLACED_ID: 'order_id' },
  },
  listOrders: { query: { user: '{{USER_ID}}' } },
  cancelOrder: { params: { order: '{{PLACED_ID}}' }, body: { reason: 'it takes too long' } },
  showPlan: { query: { amount: '100', method: 'credit_card', installments: '3' } },
  auditOfOrder: {},
}

/** Of the others, whose values are not the usual ones. */
const OTHERS: Readonly<Record<string, Example>> = {
  deleteOrder: { params: { order: '{{PLACED_ID}}' } },
  placeFormOrder: {
    body: { value: 5, user_id: '{{USER_ID}}', installment: 1, method: 'credit_card' },
    keeps: { FORM_ID: 'id' },
  },
  showFormOrder: { params: { order: '{{FORM_ID}}' } },
  createWebhook: {
    body: { url: 'http://127.0.0.1:9000/hook', events: ['shop.order.paid', 'shop.order.cancelled'] },
    keeps: { WEBHOOK_ID: 'webhook_id' },
  },
  changeWebhook: { body: { enabled: true } },
  resolveContradiction: { params: { by: 'accept' }, query: { why: 'it was settled by hand' } },
  findUsers: { query: { ids: '{{USER_ID}}' } },
  changeItem: { body: { price: 6 } },
  showItems: { query: { ids: '{{ITEM_ID}}' } },
  acquireLease: { body: { ttl_ms: 60_000 } },
  requestLease: { body: { mode: 'read', queue: true } },
  renewLease: { body: { ttl_ms: 60_000 } },
  configureLock: { body: { delay_ms: 5 } },
  stand: { body: { value: 'http://here' } },
  renewCandidate: { body: { value: 'http://there' } },
  beginRun: { body: { if_lost: 'again' } },
  changeRun: { body: { outcome: 'done', note: 'fine' } },
  lock: { body: { resource: 'a-resource', ttl: 60 }, keeps: { LOCK_ID: 'lock_id' } },
  unlock: { body: { lock_id: '{{LOCK_ID}}' } },
  setFeatureOfIds: { body: { on: true } },
  setFeatureOfOrder: { body: { on: true } },
  setFeatureOfPayment: { body: { on: true } },
  setFeatureOfStock: { body: { on: true } },
  ...Object.fromEntries(
    ['sagasAtOfPayment', 'sagasAtOfStock'].map((id) => [id, { query: { at: '1-0', log_ids: '{{LOG_ID}}' } }]),
  ),
  findAbsentOfPayment: { query: { ids: '{{USER_ID}}' } },
  findAbsentOfStock: { query: { ids: '{{ITEM_ID}}' } },
}

const FEATURES = { ids: 'createId', order: 'findOrder', payment: 'findUser', stock: 'findItem' } as const
/** What parameters of paths are, unless an example says otherwise. */
const USUAL: Values = {
  ...{ user: '{{USER_ID}}', item: '{{ITEM_ID}}', order: '{{ORDER_ID}}', log_id: '{{LOG_ID}}', refund: '{{REFUND_ID}}' },
  webhook: '{{WEBHOOK_ID}}',
  ...{ amount: '1', quantity: '1', price: '5', n: '3', n_users: '3', n_items: '3', minutes: '5' },
  ...{ item_price: '5', starting_money: '1000', starting_stock: '1000', id: '1-0', kind: 'read-process' },
  ...{ lock: 'a-lock', lease: 'a-lease', token: '1', election: 'an-election', candidate: 'a-candidate' },
  ...{ job: 'a-job', slot: '2026-11-28T03:00:00Z', runner: 'a-runner', process: 'a-process' },
}

/** What services ask each other, no client may. */
const rows = new Map(ROWS.filter(({ scope }) => scope !== 'service').map((row) => [idOf(row), row]))

const requestOf = (id: string, example: Example, isVisit: boolean): ShownRequest => {
  const row = rows.get(id)
  if (row === undefined) throw new Error(`there is no row ${id}`)
  const { params = {}, query = {}, headers = {}, body, keeps = {} } = example
  const exampleOf = (name: string): string => {
    const value = params[name] ?? (name === 'name' ? FEATURES[row.service] : USUAL[name])
    if (value === undefined) throw new Error(`${id} has no example of ${name}`)
    return value
  }
  const fields = Object.entries(row.query ?? {})
  for (const [name, field] of fields)
    if (parameterOf(field).required && query[name] === undefined) throw new Error(`${id} has no example of ${name}`)
  if (row.body && row.body.optional !== true && body === undefined) throw new Error(`${id} has no example of a body`)
  return {
    id,
    folder: isVisit ? 'A visit' : row.scope === 'operator' ? `${row.service}, for operators` : row.service,
    row,
    path: row.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => exampleOf(name)),
    query,
    others: fields.map(([name]) => name).filter((name) => !Object.hasOwn(query, name)),
    headers: {
      Authorization: 'Bearer {{TOKEN}}',
      ...(wantsKey(row) ? { 'Idempotency-Key': '{{$guid}}' } : {}),
      ...(row.ifMatch ? { 'If-Match': '*' } : {}),
      ...(row.headers && 'user-id' in row.headers ? { 'User-Id': 'a-tenant' } : {}),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body, null, 2),
    keeps,
    succeeds: isVisit ? Object.keys(row.answers).map(Number) : undefined,
  }
}

const FOLDERS = ['order', 'payment', 'stock', 'ids'].flatMap((one) => [one, `${one}, for operators`])

/** All of them, in order. */
export const shownRequests = (): readonly ShownRequest[] => {
  const visit = Object.entries(VISIT).map(([id, example]) => requestOf(id, example, true))
  const others = [...rows.keys()]
    .filter((id) => !Object.hasOwn(VISIT, id))
    .map((id) => requestOf(id, OTHERS[id] ?? {}, false))
  return [...visit, ...FOLDERS.flatMap((one) => others.filter(({ folder }) => folder === one))]
}
