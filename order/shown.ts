/**
 * How is an order shown?
 *
 * With everything that is known of it. What an older version has not recorded (a number, what a line cost, when it was made) is
 * `null`, and a checkout whose record has ended with its entries is shown only as far as the order itself tells.
 */
import { type Line, parseLines } from '../shared/contract/lines.ts'
import { planOf } from '../shared/contract/methods.ts'
import { impossible } from '../shared/errors.ts'
import { etagOf } from '../shared/http/etag.ts'
import { endedOf, isPaid, isStatus, isUndecided, type PaymentStatus, type Status, type Undecided } from './order.ts'

/** What an order is recorded as: texts, as Redis has them. */
export type OrderRecord = {
  readonly order: string
  readonly user: string
  readonly status: string
  readonly total: string
  readonly lines: string
  readonly costs: string | undefined
  readonly number?: string | undefined
  readonly version?: string | undefined
  readonly at?: string | undefined
  /** When it was changed last, of an order whose version is a count: see `lua/order.lua`. */
  readonly updated?: string | undefined
  readonly method?: string | undefined
  readonly installments?: string | undefined
  /** What of it was refunded: pieces, and money. */
  readonly returned?: string | undefined
  readonly refunded?: string | undefined
  /** Its documents, as `number:total,number:total`. */
  readonly invoices?: string | undefined
  readonly notes?: string | undefined
  readonly replaced?: string | undefined
  /** Since which version its lines are as they are, if payment drafts its invoice; and what is drafted, as `version:total`. */
  readonly billed?: string | undefined
  readonly draft?: string | undefined
  /** The log id of its last checkout; and how that stands, as far as it is still recorded. */
  readonly saga?: string | undefined
  readonly state?: string | undefined
  readonly reason?: string | undefined
  readonly item?: string | undefined
  /** The same of its last amendment that payment and stock were asked to take part in. */
  readonly amendment?: Amending | undefined
}
type Amending = Pick<OrderRecord, 'state' | 'reason' | 'item'> & { readonly saga: string }

/** A line as it is shown; `cost` is what all its pieces cost together, `refunded` what those that went back did. */
type ShownLine = {
  readonly item_id: string
  readonly quantity: number
  readonly cost: number | null
  readonly returned: number
  readonly refunded: number | null
}

type ShownSaga = {
  readonly log_id: string
  readonly state: Undecided | 'paid' | 'failed' | 'cancelling' | 'closed'
  readonly reason: string | null
  readonly item_id: string | null
}

/**
 * The last invoice of an order: until it is paid a draft, which has no number, and of which version of the order it is. Of one
 * that payment has lost and issued anew, the numbers that it had before are told as well.
 */
type ShownInvoice = {
  readonly number: string | null
  readonly status: 'draft' | 'void' | 'issued' | 'partly-credited' | 'credited'
  readonly total: number
  /** `null` if there was no draft of it. */
  readonly order_version: number | null
  readonly replaces: readonly string[]
}

export type ShownOrder = {
  readonly order_id: string
  readonly number: number | null
  readonly version: number
  /** Since which version its lines are as they are, while its invoice is drafted: a draft of that one is whole. */
  readonly lines_version: number | null
  readonly user_id: string
  readonly status: Status
  readonly payment_status: PaymentStatus
  readonly total_cost: number
  readonly paid: boolean
  readonly items: readonly Line[]
  readonly lines: readonly ShownLine[]
  readonly paid_amount: number
  readonly refunded_amount: number
  /** How it is to be paid, and what is due with each instalment, the last of which a refund reduces first; `null` if it was not said. */
  readonly method: string | null
  readonly installments: number | null
  readonly plan: readonly number[] | null
  readonly invoice: ShownInvoice | null
  readonly credit_notes: readonly string[]
  readonly checkout: ShownSaga | null
  /** The last change of it since it is paid for which money or goods were wanted, as far as that is recorded still. */
  readonly amendment: ShownSaga | null
  readonly created_at: string | null
  readonly updated_at: string | null
}

const timeOf = (ms: number): string | null => (ms === 0 ? null : new Date(ms).toISOString())

/** That of an order which was never changed. */
export const FIRST_VERSION = 1
/** When it was changed last, as far as that is recorded: a version is a time, or a count and less than any. */
const changedMs = ({ at = '0', updated = at, version = '0' }: OrderRecord): number =>
  Math.max(Number(updated), Number(version))

/** What a change answers is true now, and may not be later. Of what is only read the server says so. */
export const NOT_KEPT = { 'Cache-Control': 'no-store' }
/** Does the draft of its invoice show its lines as they were before? */
export const isDraftBehind = ({
  lines_version: lines,
  invoice,
}: Pick<ShownOrder, 'lines_version' | 'invoice'>): boolean => lines !== null && (invoice?.order_version ?? 0) < lines
/**
 * With which headers an order is shown: its entity tag is another one as soon as it has changed, or its draft has followed, or
 * its amendment that is not to be is undone.
 */
export const headersOf = (order: Pick<ShownOrder, 'version' | 'lines_version' | 'invoice' | 'amendment'>) => ({
  ETag: etagOf(order.version, isDraftBehind(order) || order.amendment?.state === 'cancelling'),
  ...NOT_KEPT,
})

type Recorded = Pick<OrderRecord, 'saga' | 'state' | 'reason' | 'item'> & { readonly status?: string | undefined }
const checkoutOf = ({ status, saga, state = '', reason = '', item = '' }: Recorded): ShownSaga | null => {
  if (!saga) return null
  const shown = { log_id: saga, reason: null, item_id: null }
  if (isUndecided(state)) return { ...shown, state }
  const ended = endedOf({ id: saga, state, reason, item })
  if (ended === undefined) return isPaid(status) ? { ...shown, state: 'paid' } : null
  if (ended.state === 'paid') return { ...shown, state: 'paid' }
  if (ended.state === 'failed') return { ...shown, state: 'failed', reason: ended.reason, item_id: ended.item || null }
  return { ...shown, state: ended.state, reason: ended.by }
}

const draftOf = (status: Status, [version, total]: Line): ShownInvoice => ({
  number: null,
  status: status === 'cancelled' || status === 'expired' ? 'void' : 'draft',
  total,
  order_version: Number(version),
  replaces: [],
})

/** Where nothing was to be paid, no sum tells whether all of it is credited. */
const isCreditedInPart = (invoiced: number, credited: number, payment: PaymentStatus): boolean =>
  credited < invoiced || (invoiced === 0 && payment === 'partially-refunded')

const invoiceOf = (status: Status, payment: PaymentStatus, recorded: OrderRecord): ShownInvoice | null => {
  const { invoices = '', notes = '', replaced = '', draft = '' } = recorded
  const issued = parseLines(invoices)
  const [drafted] = parseLines(draft)
  if (drafted && payment === 'unpaid') return draftOf(status, drafted)
  const last = issued.at(-1)
  if (last === undefined) return null
  const [number, total] = last
  const sum = (documents: readonly Line[]): number => documents.reduce((sum, [, amount]) => sum + amount, 0)
  const isInPart = isCreditedInPart(sum(issued), sum(parseLines(notes)), payment)
  const state = notes === '' ? 'issued' : isInPart ? 'partly-credited' : 'credited'
  const order_version = drafted === undefined || issued.length > 1 ? null : Number(drafted[0])
  return { number, status: state, total, order_version, replaces: parseLines(replaced).map(([before]) => before) }
}

/** What the first so many pieces of a line are worth that has cost so much: see `refunds/lua/refunds.lua`. */
const worth = (cost: number, quantity: number, pieces: number): number =>
  Number((BigInt(cost) * BigInt(pieces)) / BigInt(quantity))

const linesOf = ({ lines, costs = '', returned = '' }: OrderRecord): readonly ShownLine[] => {
  const [costOf, returnedOf] = [new Map(parseLines(costs)), new Map(parseLines(returned))]
  return parseLines(lines).map(([item_id, quantity]) => {
    const [cost = null, back = 0] = [costOf.get(item_id), returnedOf.get(item_id)]
    const refunded = back === 0 ? 0 : cost === null ? null : worth(cost, quantity, back)
    return { item_id, quantity, cost, returned: back, refunded }
  })
}

/** An order over a value has no lines, and goes back as a whole. */
const paymentStatusOf = (wasPaid: boolean, lines: readonly ShownLine[], refunded: number): PaymentStatus => {
  if (!wasPaid) return 'unpaid'
  if (lines.length === 0) return refunded > 0 ? 'refunded' : 'paid'
  if (lines.every(({ returned }) => returned === 0)) return 'paid'
  return lines.every(({ quantity, returned }) => returned === quantity) ? 'refunded' : 'partially-refunded'
}

/** An order by the texts that `lua/shown.lua` returns; `undefined` if there is no such order. */
export const shownIn = (texts: readonly (string | undefined)[]): ShownOrder | undefined => {
  const [order = '', user, status = '', total = '', lines = '', costs, number, version, at, updated, ...more] = texts
  if (user === undefined) return undefined
  const [method, installments, returned, refunded, invoices, notes, replaced, ...checkout] = more
  const [saga, state, reason, item, billed, draft, last, ...end] = checkout
  const [itsState, itsReason, itsItem] = end
  const payment = {
    method,
    installments,
    returned,
    refunded,
    invoices,
    notes,
    replaced,
    saga,
    state,
    reason,
    item,
    billed,
    draft,
    amendment: last === undefined ? undefined : { saga: last, state: itsState, reason: itsReason, item: itsItem },
  }
  return shownOf({ order, user, status, total, lines, costs, number, version, at, updated, ...payment })
}

export const shownOf = (recorded: OrderRecord): ShownOrder => {
  const { order, user, status, total, number, version, at = '0', method, installments } = recorded
  if (!isStatus(status)) return impossible('order.status', status)
  const lines = linesOf(recorded)
  const paid = isPaid(status)
  // What is cancelled once it is paid is refunded.
  const wasPaid = paid || recorded.refunded !== undefined
  const refunded = Number(recorded.refunded ?? 0)
  const payment_status = paymentStatusOf(wasPaid, lines, refunded)
  return {
    order_id: order,
    number: number === undefined ? null : Number(number),
    version: Number(version ?? FIRST_VERSION),
    lines_version: recorded.billed === undefined || wasPaid ? null : Number(recorded.billed),
    user_id: user,
    status,
    payment_status,
    total_cost: Number(total),
    paid,
    items: lines.map(({ item_id, quantity }) => [item_id, quantity]),
    lines,
    paid_amount: wasPaid ? Number(total) : 0,
    refunded_amount: refunded,
    method: method ?? null,
    installments: installments === undefined ? null : Number(installments),
    plan: installments === undefined ? null : planOf(Number(total), Number(installments), refunded),
    invoice: invoiceOf(status, payment_status, recorded),
    credit_notes: parseLines(recorded.notes ?? '').map(([number]) => number),
    checkout: checkoutOf(recorded),
    amendment: recorded.amendment === undefined ? null : checkoutOf(recorded.amendment),
    created_at: timeOf(Number(at)),
    updated_at: timeOf(changedMs(recorded)),
  }
}
