/** Which version a client is told, while others change the order. */
import test from 'ava'
import { type AnswerAmendment, amending } from '../../../order/amend/amending.ts'
import { shownOf } from '../../../order/shown.ts'

const READ = { order: 'cart', user: 'anna', status: 'paid', total: '4', lines: 'tea:1', costs: 'tea:4', version: '9' }

const MADE = 'made'
const answering = amending({
  store: {
    show: async () => shownOf(READ),
    findRefund: async () => undefined,
    versionMade: async (_, amendment) => (amendment === MADE ? 8 : undefined),
  },
  follow: async (logId) => ({ state: 'paid', logId }),
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
  test(`a client whose change changes nothing and ${what}`, async (t) => {
    const { headers } = await answering(asked(ifMatch, isShown), ['unchanged'])
    t.is(headers?.ETag, etag)
  })

const amended = (id: string) => ['amended', `${id}-back`, 'cart', 'anna', '4', 'tea:1', 'shelf', '1-0', '7'] as const
for (const [what, begun] of [
  ['at once', amended],
  ['once it was paid for', (id: string) => ['amending', id] as const],
] as const)
  test(`a client whose order was amended ${what} is told the version made, or the one it is shown`, async (t) => {
    const etagFor = async (id: string, isShown: boolean) =>
      (await answering(asked([7], isShown), begun(id))).headers?.ETag
    t.is(await etagFor(MADE, false), '"8"')
    t.is(await etagFor(MADE, true), '"9"')
    t.is(await etagFor('by-an-older-version', false), '"9"')
  })
