/** What each end of a checkout is answered with: its status, its log id, and whether to ask again. */
import test from 'ava'
import { answerOf } from '../../../order/checkout/answer.ts'
import { outcomeOf } from '../../../order/checkout/outcomes.ts'
import { type Ended, endedOf, type Outcome } from '../../../order/order.ts'

const ended = (state: Ended['state'], reason = ''): Outcome => {
  const end = endedOf({ id: 'it', state, reason, item: 'tea' })
  if (end === undefined) throw new Error(`${state} is no end`)
  return outcomeOf(end)
}

/** Each outcome: its status, the log id that the answer bears if it bears one, and whether it says when to ask again. */
const ANSWERS: readonly (readonly [
  what: string,
  Outcome,
  status: number,
  logId: string | undefined,
  again: boolean,
])[] = [
  ['paid', ended('paid'), 200, 'it', false],
  ['refused for credit', ended('failed', 'out-of-credit'), 402, 'it', false],
  ['refused for stock', ended('failed', 'out-of-stock'), 409, 'it', false],
  ['refused for its user', ended('failed', 'no-such-user'), 404, 'it', false],
  ['cancelled at its deadline', ended('cancelling'), 424, 'it', true],
  ['cancelled at its deadline, and undone', ended('closed'), 424, 'it', true],
  ['cancelled by an operator', ended('cancelling', 'operator'), 424, 'it', true],
  ['cancelled by an operator, and undone', ended('closed', 'operator'), 424, 'it', true],
  ['paid before log ids were remembered', { state: 'paid', logId: '' }, 200, undefined, false],
  ['not begun while another is undone', { state: 'cancelling' }, 409, undefined, true],
  ['not begun for want of its lock', { state: 'locked' }, 423, undefined, true],
  ['not begun for want of a slot', { state: 'overloaded' }, 503, undefined, true],
  ['empty', { state: 'empty' }, 409, undefined, false],
  ['of an order that is cancelled', { state: 'order-cancelled' }, 409, undefined, false],
  ['of an order that has expired', { state: 'order-expired' }, 409, undefined, false],
  ['unknown', { state: 'unknown' }, 404, undefined, false],
  ['asked for under a key of another request', { state: 'key-reused' }, 422, undefined, false],
]

for (const [what, outcome, status, logId, again] of ANSWERS)
  test(`a checkout that is ${what} is answered ${status}, ${logId ? 'with' : 'without'} a log id`, (t) => {
    const answer = answerOf('cart', outcome)
    t.is('problem' in answer ? answer.problem.status : 200, status)
    t.deepEqual(answer.headers ?? {}, {
      ...(logId === undefined ? {} : { 'X-Log-Id': logId }),
      ...(again ? { 'Retry-After': '1' } : {}),
    })
  })

test('who cancelled a checkout is told in the title', (t) => {
  for (const [reason, title] of [
    ['', 'Cancelled at the deadline'],
    ['operator', 'Cancelled by an operator'],
  ] as const)
    t.like(answerOf('cart', ended('cancelling', reason)), { problem: { title } })
})
