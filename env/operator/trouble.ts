/**
 * What hangs, what is contradicted, and how is that ended?
 *
 * `list` shows the checkouts that do not move, as order and payment know them, and the orders that are contradicted, the oldest
 * first. `resolve` ends a contradiction by a refund or by leaving it as it is.
 */

import { styleText } from 'node:util'
import { PREFIXES, type Service } from '../../shared/contract/services.ts'
import type { SagaStatus } from '../../shared/saga/status.ts'
import { UsageError } from '../command-line.ts'
import { type Ask, ShopError, sentenceOf } from './ask-shop.ts'
import { columns, contradictionInWords, nextInWords } from './in-words.ts'
import { FAILED, logIdOf, REFUSED, type Verb } from './verb.ts'

/** As order lists it. */
type Contradicted = {
  readonly order_id: string
  readonly log_id: string | null
  readonly by: string
  readonly since: string | null
}

type Hanging = { readonly service: Service; readonly standing: SagaStatus }
/** A checkout that is younger than that may be under way and well. */
const HANGS_MS = 2_000

/** What is unfinished in a service and does not move, the stalest of it. */
const hangingIn = async (ask: Ask, service: 'order' | 'payment'): Promise<readonly Hanging[]> => {
  const { unfinished } = await told<{ unfinished: readonly SagaStatus[] }>(ask, service, 'unfinished')
  const isOld = ({ begun }: SagaStatus): boolean => Date.now() - Date.parse(begun ?? '') > HANGS_MS
  return unfinished.filter(isOld).map((standing) => ({ service, standing }))
}

const told = async <Body>(ask: Ask, service: Service, route: string): Promise<Body> => {
  const answer = await ask('GET', `/${PREFIXES[service]}/${route}`)
  if (answer.status !== 200) throw new ShopError(`${service} does not answer (${sentenceOf(answer)})`)
  return answer.body as Body
}

export const list: Verb = async (ask) => {
  const found = await Promise.allSettled([
    told<{ contradictions: readonly Contradicted[] }>(ask, 'order', 'contradictions'),
    hangingIn(ask, 'order'),
    hangingIn(ask, 'payment'),
  ])
  const failures = new Set(found.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : [])))
  const unexpected = [...failures].find((failure) => !(failure instanceof ShopError))
  if (unexpected) throw unexpected
  const [failure] = failures
  // Where nothing could be asked, one sentence is enough.
  if (failure && found.every(({ status }) => status === 'rejected')) throw failure
  const [listed, ...hung] = found
  const contradictions = listed.status === 'fulfilled' ? listed.value.contradictions : []
  const hanging = hung.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  const rows = [
    ...contradictions.map(({ order_id, log_id, by, since }) => [
      since ?? '',
      order_id,
      log_id ?? '-',
      contradictionInWords(by, order_id),
    ]),
    ...hanging.map(({ service, standing }) => [
      standing.begun ?? '',
      standing.recorded.order ?? '-',
      standing.log_id,
      `${standing.state} in ${service}: ${nextInWords(standing)}`,
    ]),
  ].toSorted(([a = ''], [b = '']) => a.localeCompare(b))
  const [header, ...lines] = columns([['since', 'order', 'checkout', 'how it stands'], ...rows])
  const away = [...new Set([...failures].map(({ message }) => message))]
  return {
    lines: [
      ...(lines.length > 0
        ? [styleText('dim', header ?? ''), ...lines]
        : [`${away.length > 0 ? 'as far as could be asked, ' : ''}nothing hangs, and nothing is contradicted`]),
      ...away,
    ],
    json: { contradictions, hanging, away },
    code: away.length > 0 ? FAILED : 0,
  }
}

export const resolve: Verb = async (ask, id, { refund, accept, why = '' }) => {
  if (refund === (accept !== undefined)) throw new UsageError('"resolve" wants either --refund or --accept "why"')
  const log_id = await contradictedOf(ask, id)
  const by = refund ? 'refund' : 'accept'
  const answer = await ask('POST', `/orders/resolve/${log_id}/${by}?why=${encodeURIComponent(accept ?? why)}`)
  if (answer.status >= 500) throw new ShopError(`order does not answer (${sentenceOf(answer)})`)
  if (answer.status !== 200) return { lines: [sentenceOf(answer)], json: answer.body, code: REFUSED }
  const { repeated } = answer.body as { repeated: boolean }
  const done = refund ? 'refunded: what was done for it is being undone' : 'accepted as it is'
  return { lines: [`checkout ${log_id} ${repeated ? 'was before ' : 'is '}${done}`], json: answer.body }
}

/** The checkout of an order that is contradicted, else its last one. */
const contradictedOf = async (ask: Ask, id: string): Promise<string> => {
  const { contradictions } = await told<{ contradictions: readonly Contradicted[] }>(ask, 'order', 'contradictions')
  return contradictions.find(({ order_id }) => order_id === id)?.log_id ?? logIdOf(ask, id)
}
