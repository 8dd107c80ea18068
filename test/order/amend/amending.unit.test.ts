/** What a client is told of a change that changes nothing, while others change the order. */
import test from 'ava'
import { type AnswerAmendment, amending } from '../../../order/amend/amending.ts'
import { shownOf } from '../../../order/shown.ts'

const READ = { order: 'cart', user: 'anna', status: 'paid', total: '4', lines: 'tea:1', costs: 'tea:4', version: '9' }

const answering = amending({
  store: { show: async () => shownOf(READ), findRefund: async () => undefined },
  follow: async () => ({ state: 'paid', logId: '' }),
  settlements: { wait: async () => undefined },
})
const asked = (ifMatch: 'any' | readonly number[], isShown: boolean): Parameters<AnswerAmendment>[0] => ({
  params: { order: 'cart' },
  query: { dry_run: false },
  headers: { 'if-match': undefined },
  body: { lines: [{ item_id: 'tea', quantity: 1 }] },
  ifMatch,
  isShown,
  fingerprint: '',
  idempotencyKey: undefined,
  caller: undefined,
  lockToken: undefined,
  authorization: undefined,
  requestId: undefined,
  isGone: () => false,
  closing: new AbortController().signal,
})

const rows = [
  ['that is not shown the order keeps the version that it named', [7], false, '"7"'],
  ['that is shown the order has the version of what it is shown', [7], true, '"9"'],
  ['that named several has the one there is', [7, 8], false, '"9"'],
  ['that named none, too', 'any', false, '"9"'],
] as const
for (const [what, ifMatch, isShown, etag] of rows)
  test(`a client ${what}`, async (t) => {
    const { headers } = await answering(asked(ifMatch, isShown), ['unchanged'])
    t.is(headers?.ETag, etag)
  })
