/**
 * How does a client learn what became of an amendment?
 *
 * One that is done at once is answered once payment has paid what went back, or after a moment: it is decided. One that payment and stock
 * take part in is waited for like a checkout, and refused as one. Under a key the answer is of the same amendment, however its order
 * stands since: its entity tag is of the version that the amendment has made, but for a client that is shown the order as it is.
 */
import { UnavailableError, unreachable } from '../../shared/errors.ts'
import { AGAIN, bearing } from '../../shared/http/answer.ts'
import { etagOf } from '../../shared/http/etag.ts'
import type { AnswerTo } from '../../shared/http/route.ts'
import type { ResultIn } from '../../shared/redis/command.ts'
import type { changes } from '../change/api.ts'
import type { Changing } from '../change/plan.ts'
import type { End } from '../order.ts'
import { changeCancelled, noSuchOrder, orderCancelled, orderDeleted, REFUSALS } from '../problems.ts'
import type { Settlements } from '../refunds/settlements.ts'
import { headersOf } from '../shown.ts'
import type { Store } from '../store.ts'
import { refundIn } from './amendment.ts'
import type { amendOrder } from './commands.ts'

export type Answer = AnswerTo<typeof changes.changeOrder>
export type Begun = Extract<
  ResultIn<typeof amendOrder.returns>,
  readonly ['amending' | 'amended' | 'unchanged', ...string[]]
>

export type AmendingOptions = {
  readonly store: Pick<Store, 'show' | 'findRefund' | 'versionMade'>
  /** Resolves with the end of an amendment, which is made at its deadline. @throws UnavailableError */
  readonly follow: (id: string) => Promise<End>
  readonly settlements: Pick<Settlements, 'wait'>
}

/** Answers a client whose amendment is begun, or done. @throws UnavailableError */
export type AnswerAmendment = (request: Changing, begun: Begun) => Promise<Answer>

/** Why an order is as it was. */
const refused = ({ params: { order }, headers }: Changing, end: Exclude<End, { readonly state: 'paid' }>): Answer => {
  if (end.state === 'refused') return { problem: REFUSALS[end.reason](order, end.item), headers: bearing(end.logId) }
  if (end.by !== 'customer') return { problem: changeCancelled(order), headers: { ...AGAIN, ...bearing(end.logId) } }
  const isOlderClient = headers['if-match'] === undefined
  return { problem: isOlderClient ? orderDeleted(order) : orderCancelled(order), headers: bearing(end.logId) }
}

/** The end of an amendment. What cannot be answered says where to look. */
const endOf = async (follow: AmendingOptions['follow'], order: string, id: string): Promise<End> => {
  try {
    return await follow(id)
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    throw new UnavailableError(`${error.message}; asking again from the same version is safe`, {
      cause: error.cause,
      location: `/orders/${order}`,
    })
  }
}

/**
 * What changes nothing makes no version, so a client that is not shown the order keeps the one that it named: others may have changed the
 * order before it was read again.
 */
const asNamed = ({ ifMatch, isShown }: Changing, answer: Answer): Answer => {
  const [version, other] = ifMatch === 'any' ? [] : ifMatch
  if (isShown || !('json' in answer) || version === undefined || other !== undefined) return answer
  return { ...answer, headers: { ...answer.headers, ETag: etagOf(version) } }
}

export const amending = ({ store, follow, settlements }: AmendingOptions): AnswerAmendment => {
  /** The order once what left it is paid back, or a moment has passed: so that its version stays. */
  const shownOnceSettled = async ({ params, closing, isShown }: Changing, logId: string): Promise<Answer> => {
    const { order } = params
    if (logId !== '' && (await store.findRefund(order, refundIn(logId))) !== undefined)
      await settlements.wait(order, refundIn(logId), closing)
    // Others may have changed the order since: a client that is not shown it is told the version that its amendment has made.
    const made = logId === '' || isShown ? undefined : await store.versionMade(order, logId)
    const shown = await store.show(order)
    if (shown === undefined) return { problem: noSuchOrder(order) }
    const headers = { ...headersOf(shown), ...bearing(logId) }
    return { json: shown, headers: made === undefined ? headers : { ...headers, ETag: etagOf(made) } }
  }

  return async (request, begun) => {
    switch (begun[0]) {
      case 'amending': {
        const end = await endOf(follow, request.params.order, begun[1])
        return end.state === 'paid' ? shownOnceSettled(request, end.logId) : refused(request, end)
      }
      case 'amended':
        return shownOnceSettled(request, begun[1].slice(0, -refundIn('').length))
      case 'unchanged':
        return asNamed(request, await shownOnceSettled(request, ''))
      default:
        return unreachable('order.amending', begun)
    }
  }
}
