/**
 * How is an order changed?
 *
 * It is read, it is planned what it is to become, and one command makes it so, if it is still as it was read; else it is read again.
 * That command decides whether it may be changed: it is looked at before only so that stock is not asked in vain. A dry run shows the
 * plan, and ends there. An order that is paid is amended (`../amend/`): payment and stock may have to do their part.
 */
import { planOf } from '../../shared/contract/methods.ts'
import { UnavailableError, unreachable } from '../../shared/errors.ts'
import { AGAIN, LOG_ID_HEADER } from '../../shared/http/answer.ts'
import { etagOf } from '../../shared/http/etag.ts'
import { keyReused, malformedBody, preconditionRequired, staleAnswer } from '../../shared/http/problems.ts'
import { type Handler, type Route, routes } from '../../shared/http/route.ts'
import type { ResultOnce } from '../../shared/redis/command.ts'
import type { Answer, AnswerAmendment } from '../amend/amending.ts'
import { AMENDMENTS_MAX, amendmentOf } from '../amend/amendment.ts'
import { amendOnce, amendOrder } from '../amend/commands.ts'
import { type Drafts, WAIT_MS } from '../drafts/drafts.ts'
import { isPaid } from '../order.ts'
import { type Asked, onceFound, type Peers } from '../peers.ts'
import {
  beingCheckedOut,
  eventOutdated,
  noSuchOrder,
  notOpen,
  orderCancelled,
  orderDeleted,
  orderExpired,
  partlyRefunded,
  tooManyAmendments,
} from '../problems.ts'
import { orderChanging, orderContradicted } from '../refunds/problems.ts'
import { headersOf, isDraftBehind, NOT_KEPT, type ShownOrder } from '../shown.ts'
import type { Change } from '../store/changes.ts'
import type { Store } from '../store.ts'
import { changes } from './api.ts'
import type { Changed } from './change.ts'
import { type ChangedOrder, changeOrder } from './commands.ts'
import { type Changing, type Objection, planFor } from './plan.ts'

/** What a change of an order returns, whether that is open or paid. */
const changing = { ...amendOnce, inPassing: { ...changeOrder.inPassing, ...amendOrder.inPassing } }
type Result = Exclude<ResultOnce<typeof changing>, readonly ['moved']>

export type ChangeOptions = {
  readonly store: Store
  readonly peers: Peers
  readonly drafts: Pick<Drafts, 'wait'>
  /** Answers a client whose amendment is begun. */
  readonly answerAmendment: AnswerAmendment
  /** How long payment and stock may take for one. */
  readonly timeoutMs: number
}

/** How often an order is read again that others change meanwhile. */
const READINGS_MAX = 20

/** Is it a client of an older back end, which says when it has made the change, and not from which version? */
const saysWhen = ({ body, headers }: Changing): boolean =>
  body.update_time !== undefined && headers['if-match'] === undefined

/** What speaks against a change from no version, and of no time. */
const objectionToForm = ({ body, headers }: Changing): Answer | undefined => {
  if (headers['if-match'] !== undefined || body.update_time !== undefined) return undefined
  if (body.lines) return { problem: preconditionRequired() }
  return { problem: malformedBody('update_time', '"update_time" must be given, or "If-Match" be sent') }
}

/** What speaks against a change of an order that is neither open nor paid. */
const closed = (request: Changing, status: string): Answer => {
  const { order } = request.params
  switch (status) {
    case 'cancelled':
      return { problem: saysWhen(request) ? orderDeleted(order) : orderCancelled(order) }
    case 'expired':
      return { problem: saysWhen(request) ? orderDeleted(order) : orderExpired(order) }
    case 'changing':
      return { problem: orderChanging(order), headers: AGAIN }
    case 'paid':
      return { problem: notOpen(order, status) }
    case 'submitted':
    case 'checking-out':
      return { problem: beingCheckedOut(order), headers: AGAIN }
    default:
      return { problem: notOpen(order, status), headers: AGAIN }
  }
}

const isOutdated = ({ params: { order } }: Changing, version: number): Answer => ({
  problem: eventOutdated(order, version),
  headers: { ETag: etagOf(version) },
})

/** What speaks against any change of an order as it stands: the same as the commands say. */
const objectionTo = (order: ShownOrder, request: Changing): Answer | undefined => {
  const { ifMatch, body } = request
  if (order.status !== 'open' && order.status !== 'paid') return closed(request, order.status)
  if (ifMatch !== 'any' && !ifMatch.includes(order.version)) return staleAnswer(order.version)
  const changedMs = Date.parse(order.updated_at ?? '1970')
  if (body.update_time !== undefined && body.update_time < changedMs) return isOutdated(request, order.version)
  return order.payment_status === 'partially-refunded' || order.payment_status === 'refunded'
    ? { problem: partlyRefunded(order.order_id) }
    : undefined
}

/** What the order would become. That has no version yet. */
const dryRun = (order: ShownOrder, { lines, costs, total }: Changed): Answer => ({
  status: 200,
  json: {
    ...order,
    total_cost: total,
    paid_amount: order.paid ? total : 0,
    items: [...lines],
    lines: Array.from(lines, ([item_id, quantity]) => {
      return { item_id, quantity, cost: costs.get(item_id) ?? null, returned: 0, refunded: 0 }
    }),
    plan: order.installments === null ? null : planOf(total, order.installments),
  },
  headers: NOT_KEPT,
})

/** The order as it was changed, once the draft of its invoice has followed; or where to look whether it has. */
const changed = async (
  request: Changing,
  drafts: Pick<Drafts, 'wait'>,
  { logId, shown }: ChangedOrder,
): Promise<Answer> => {
  const { order_id: order, lines_version: version, total_cost: total } = shown
  const ofThis = logId === undefined ? {} : { [LOG_ID_HEADER]: logId }
  if (version === null || !isDraftBehind(shown)) return { json: shown, headers: { ...headersOf(shown), ...ofThis } }
  if (!(await drafts.wait({ order, version }, WAIT_MS, request.closing)))
    return { status: 202, json: shown, headers: { Location: `/orders/${order}`, ...headersOf(shown), ...ofThis } }
  const invoice = { number: null, status: 'draft', total, order_version: version, replaces: [] } as const
  const whole = { ...shown, invoice }
  return { json: whole, headers: { ...headersOf(whole), ...ofThis } }
}

const answered = async (
  request: Changing,
  { drafts, answerAmendment }: ChangeOptions,
  result: Result,
): Promise<Answer> => {
  const { order } = request.params
  switch (result[0]) {
    case 'changed':
      return changed(request, drafts, result[1])
    case 'amending':
    case 'amended':
    case 'unchanged':
      return answerAmendment(request, result)
    case 'unknown':
      return { problem: noSuchOrder(order) }
    case 'closed':
    case 'changing':
      return closed(request, result[1])
    case 'stale':
      return staleAnswer(Number(result[1]))
    case 'outdated':
      return isOutdated(request, Number(result[1]))
    case 'partly-refunded':
      return { problem: partlyRefunded(order) }
    case 'too-many':
      return { problem: tooManyAmendments(order, AMENDMENTS_MAX) }
    case 'contradicted':
      return { problem: orderContradicted(order) }
    case 'key-reused':
      return { problem: keyReused() }
    default:
      return unreachable('order.change', result)
  }
}

/** An order as it was read, and what it is to become if it may be changed as it stands. */
type Planned = Pick<Change, 'read' | 'changed'> & { readonly order: ShownOrder | undefined }

const readAndPlan = async (store: Store, peers: Peers, request: Changing): Promise<Asked<Planned, Objection>> => {
  const order = await store.show(request.params.order, request.owner)
  const read = order?.version ?? 0
  if (order === undefined || objectionTo(order, request)) return { found: { order, read, changed: undefined } }
  const plan = await planFor(order, request, peers)
  return 'found' in plan ? { found: { order, read, changed: plan.found } } : plan
}

/** Runs the command that an order wants as it was read. */
const runFor = (
  { store, timeoutMs }: Pick<ChangeOptions, 'store' | 'timeoutMs'>,
  request: Changing,
  { order: shown, read, changed }: Planned,
) => {
  const { params, ifMatch, body } = request
  const wish = { order: params.order, from: ifMatch, since: body.update_time, read }
  if (!isPaid(shown?.status) || shown === undefined) return store.change({ ...wish, changed }, request)
  return store.amend({ ...wish, amendment: changed && amendmentOf(shown, changed), timeoutMs }, request)
}

const changeFrom =
  (options: ChangeOptions): Handler<typeof changes.changeOrder> =>
  async (request) => {
    const { store, peers } = options
    const objection = objectionToForm(request)
    if (objection) return objection
    if (request.query.dry_run) {
      const order = await store.show(request.params.order, request.owner)
      if (order === undefined) return { problem: noSuchOrder(request.params.order) }
      const planned = objectionTo(order, request) ?? (await planFor(order, request, peers))
      return 'found' in planned ? dryRun(order, planned.found) : planned
    }
    for (let readings = 0; readings < READINGS_MAX; readings += 1) {
      const plan = () => readAndPlan(store, peers, request)
      const result = await onceFound(store, request, changing, plan, (planned) => runFor(options, request, planned))
      if ('problem' in result) return result
      if (result[0] !== 'moved') return answered(request, options, result)
    }
    throw new UnavailableError('the order is changed by others again and again', { nothingDone: true })
  }

export const changeRoutes = (options: ChangeOptions): readonly Route[] =>
  routes(changes, { changeOrder: changeFrom(options) })
