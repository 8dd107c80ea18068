/** Who is told that a contradiction was not ended may rely on it, whichever replica says so. */
import test, { type ExecutionContext } from 'ava'
import { resolve } from '../../order/commands.ts'
import { openPeers } from '../../order/peers.ts'
import { routesOf } from '../../order/routes.ts'
import { openStore } from '../../order/store.ts'
import { PeerError, UnavailableError } from '../../shared/errors.ts'
import type { Answer } from '../../shared/http/answer.ts'
import type { Peer } from '../../shared/http/client.ts'
import { problem } from '../../shared/http/problem.ts'
import { queryIn } from '../../shared/http/query.ts'
import { runner } from '../../shared/log/runner.ts'
import { answeringPeer } from '../support/shop/answering-peer.ts'
import { MONEY, openCheckout } from '../support/shop/cart.ts'
import { openBench, saidIn, teller, under } from '../support/shop/open-store.ts'

const bench = await openBench()
const store = openStore(bench.dependencies)
const { runFenced } = runner(store.log)
test.after.always(() => bench[Symbol.asyncDispose]())

const CALL = 'POST /orders/resolve/it/refund'
const noCheckouts = {
  checkout: () => Promise.reject(new Error()),
  submit: () => Promise.reject(new Error()),
  place: () => Promise.reject(new Error()),
  follow: () => Promise.reject(new Error()),
  watch: () => Promise.reject(new Error()),
  begin: () => Promise.reject(new Error()),
  onDecided: () => undefined,
  onOutcome: () => undefined,
}
const noAudit = () => Promise.reject(new Error())

/** Has the refund done by a replica whose peers answer like that. */
const refund = (peer: Peer, isGone = false): Promise<Answer> => {
  const peers = openPeers(peer, peer)
  const checkouts = { ...noCheckouts, start: () => undefined, stop: () => undefined }
  const route = routesOf(store, checkouts, { wait: async () => false }, peers, noAudit).find(({ path }) =>
    path.startsWith('/orders/resolve/'),
  )
  if (route === undefined) throw new Error('there is no such route')
  return route.handler({
    ...under('k', CALL),
    doneBy: 'operator:anna',
    parameter: (name) => (name === 'log_id' ? 'it' : 'refund'),
    query: queryIn(''),
    body: undefined,
    header: () => undefined,
    caller: undefined,
    lockToken: undefined,
    authorization: undefined,
    requestId: '',
    isGone: () => isGone,
    closing: new AbortController().signal,
  })
}
const status = {
  service: 'payment',
  log_id: 'it',
  state: 'captured',
  begun: null,
  since: null,
  unfinished: false,
  recorded: {},
  heard: {},
  finding: null,
  next: null,
  next_run: null,
}
const knowing = async (t: ExecutionContext): Promise<Peer> => (await answeringPeer(t, 200, status)).peer
const isAway = async (t: ExecutionContext): Promise<Peer> => (await answeringPeer(t, 503, {})).peer
const forgetting = async (t: ExecutionContext): Promise<Peer> =>
  (await answeringPeer(t, 404, problem(404, 'no-such-saga', 'Unknown saga', 'payment knows no saga "it"'))).peer

/** A customer was told that nothing is charged for what is paid. */
test.serial.beforeEach(async () => {
  await bench.redis.flushall()
  await openCheckout(store)
  await teller(store.log)('payment', 'CreditCaptured', 'it', MONEY)
  await store.log.run('uphold', { log_id: 'it', order: 'cart', user: 'anna', total: 30, told: 'failed' })
})

test.serial('who slept while it was asked for, and whose client has gone, resolves nothing', async (t) => {
  const knows = await knowing(t)
  await t.throwsAsync(refund(knows, true), { instanceOf: UnavailableError })
  t.true((await store.find('cart'))?.paid)
  t.like(await refund(knows), { json: { done: 'refund', repeated: false } })
  t.like(
    (await saidIn(store.log)).find(({ kind }) => kind === 'CheckoutResolved'),
    { facts: { done_by: 'operator:anna' } },
  )
})

for (const [what, open] of [
  ['a peer does not answer', isAway],
  ['a peer has forgotten the checkout', forgetting],
] as const)
  test.serial(`where ${what}, it is not resolved any more by whom it was asked of before`, async (t) => {
    const readMs = await store.readMs()
    await refund(await open(t)).catch((error) => t.true(error instanceof PeerError))
    const once = { ...under('k', `${CALL}?why=`), readMs }
    t.deepEqual(await runFenced(resolve, { log_id: 'it', by: 'refund', why: '' }, once), ['late'])
    t.like(await refund(await knowing(t)), { json: { done: 'refund' } }, 'asked again, it is judged anew')
  })
