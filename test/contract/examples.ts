/**
 * With which values is each route shown to a stranger?
 *
 * Values in braces are variables, which answers before have filled: those of the requests that can be sent in order. In the contract, which
 * knows no answers, they are what `batch_init` makes, as the visit of the READMEs does.
 */

/** Where in an answer is what a variable is to be: `documents[0].number`. */
export type Kept = Readonly<Record<string, string>>
export type Values = Readonly<Record<string, string>>
export type Example = {
  readonly params?: Values
  readonly query?: Values
  readonly headers?: Values
  readonly body?: unknown
  readonly keeps?: Kept
}

const line = (quantity: number) => ({ lines: [{ item_id: '{{ITEM_ID}}', quantity }] })

/** The visit, in order. */
export const VISIT: Readonly<Record<string, Example>> = {
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
    body: { user_id: '{{USER_ID}}', ...line(3), method: 'credit_card', installments: 2 },
    keeps: { PLACED_ID: 'order_id' },
  },
  listOrders: { query: { user: '{{USER_ID}}' } },
  cancelOrder: { params: { order: '{{PLACED_ID}}' }, body: { reason: 'it takes too long' } },
  showPlan: { query: { amount: '100', method: 'credit_card', installments: '3' } },
  auditOfOrder: {},
}

/** Of the others, whose values are not the usual ones. */
export const OTHERS: Readonly<Record<string, Example>> = {
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

/** What is said in another way by a form, which has no lists. */
const FORMS: Readonly<Record<string, unknown>> = {
  placeOrder: { user_id: '0', item_id: '0', quantity: 3, value: 5, method: 'credit_card', installments: 2 },
}

/** What is no `0`, for it has another form. */
const UNANSWERED: Values = { LOCK_ID: 'a-lock.a-lease' }

/** The example of a body as the contract has it, as JSON or as a form. */
export const bodyExample = (id: string, isForm: boolean): unknown => {
  const body = (isForm ? FORMS[id] : undefined) ?? VISIT[id]?.body ?? OTHERS[id]?.body
  return body === undefined
    ? undefined
    : JSON.parse(JSON.stringify(body).replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => UNANSWERED[name] ?? '0'))
}
