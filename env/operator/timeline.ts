/**
 * What do the logs of the four services say of an order, or of one of its sagas?
 *
 * A *saga* (a checkout, a refund) is found in every log by its log id. What else was done with an order, each under a log id of its
 * own, stands in the log of order only, which has no index by orders: it is read from when the order was made to when it last
 * changed, `PAGES_MAX` pages of it at most, and as many around the last change besides.
 */

import { type Kind, ofDrafts, single } from '../../shared/contract/events.ts'
import { PREFIXES, SERVICES, type Service } from '../../shared/contract/services.ts'
import { compareIds, type LogEntry } from '../../shared/log/entry.ts'
import { type Ask, wanted } from './ask-shop.ts'

export type Said = LogEntry & { readonly service: Service }

/** A stretch of a log that was not read: the times of its ends. */
export type Gap = { readonly from: string; readonly to: string }

const PAGE = 1_000
const PAGES_MAX = 10

/** In which order things are said that were said in the same millisecond: that in which one follows from the other. */
const SEQUENCE: readonly string[] = [
  ...['OrderCreated', 'OrderPlaced', 'LineAdded', 'OrderChanged', 'DraftRequested', 'InvoiceDrafted'],
  ...['CheckoutSubmitted', 'CheckoutStarted'],
  ...['CreditHeld', 'CreditRefused', 'StockTaken', 'StockRefused', 'CreditCaptured', 'CreditVoided'],
  ...['OrderPaid', 'OrderAmended', 'CheckoutFailed', 'CheckoutCancelled'],
  ...['CreditReleased', 'StockReturned', 'CheckoutClosed'],
  ...['RefundGranted', 'CancellationRequested', 'OrderCancelled', 'OrderExpired', 'OrderForgotten', 'DraftVoided'],
  ...['CreditRefunded', 'StockRestocked', 'StockWrittenOff', 'RefundSettled'],
  ...['CheckoutContradicted', 'CheckoutResolved'],
  ...['CheckoutsSurveyed', 'CreditsSurveyed', 'GoodsSurveyed', 'SurveyEnded'],
  ...['DeadLetterRetried', 'DeadLetterDismissed'],
]

const isBefore = (a: Said, b: Said): boolean =>
  a.at === b.at ? SEQUENCE.indexOf(a.kind) < SEQUENCE.indexOf(b.kind) : a.at < b.at

/** One timeline of several logs, each of which keeps its order: the clocks of their Redis may differ. */
export const merge = (logs: readonly (readonly Said[])[]): readonly Said[] => {
  const rest = logs.map((log) => [...log])
  const timeline: Said[] = []
  for (;;) {
    const [first, ...others] = rest.filter((log) => log.length > 0)
    if (first === undefined) return timeline
    const next = others.reduce((least, log) => (isBefore(log[0] as Said, least[0] as Said) ? log : least), first)
    timeline.push(next.shift() as Said)
  }
}

const isOfNoSaga = (publisher: Service, kind: string): boolean =>
  [...single[publisher], ...ofDrafts[publisher]].some((one) => one === kind)
/** What fills an order that nobody follows: no other service says anything of it. */
const FOLLOWED_BY_NOBODY: readonly string[] = ['OrderCreated', 'LineAdded'] satisfies Kind[]

const saidBy = async (ask: Ask, service: Service, logId: string): Promise<readonly Said[]> => {
  const answer = await ask('GET', `/${PREFIXES[service]}/log/${logId}`)
  if (answer.status !== 200) return []
  return (answer.body as { logs: readonly LogEntry[] }).logs.map((entry) => ({ ...entry, service }))
}

/** What the services that `present` names say under these log ids, merged with what is known already. */
export const timelineOf = async (
  ask: Ask,
  present: readonly Service[],
  logIds: readonly string[],
  known: readonly Said[] = [],
): Promise<readonly Said[]> => {
  const logs = SERVICES.map(async (service) => {
    const asked = present.includes(service) ? logIds : []
    const said = await Promise.all(asked.map((logId) => saidBy(ask, service, logId)))
    const all = [...said.flat(), ...known.filter((entry) => entry.service === service)]
    return [...new Map(all.map((entry) => [entry.id, entry])).values()].toSorted((a, b) => compareIds(a.id, b.id))
  })
  return merge(await Promise.all(logs))
}

/** What the log of order says of an order from its beginning on, outside of sagas and within them. */
type Found = {
  /** What was done with it outside of sagas. */
  readonly changes: readonly Said[]
  /** The log ids under which other services may say something, sagas first found here included. */
  readonly logIds: readonly string[]
  readonly gap: Gap | null
}

type Page = { readonly logs: readonly LogEntry[]; readonly next: string | null }

/**
 * By how much the time of a change and that of its entry may differ: a script reads the time once and may take a while, and an older
 * version wrote a time that it read after it had appended the entry.
 */
const APART_MS = 100

/** Before all entries of what was done at this time. */
const before = (time: string): string => `${Date.parse(time) - APART_MS}-0`

export const changesOf = async (
  ask: Ask,
  order: string,
  { created_at, updated_at }: { readonly created_at: string | null; readonly updated_at: string | null },
  readsAll: boolean,
): Promise<Found> => {
  if (created_at === null) return { changes: [], logIds: [], gap: null }
  const changed = updated_at ?? created_at
  const end = new Date(Date.parse(changed) + APART_MS).toISOString()
  const read: Said[] = []
  /** @returns the last entry that was read, if there are more before the order's last change */
  const readFrom = async (start: string, pages: number): Promise<LogEntry | undefined> => {
    let last: LogEntry | undefined
    for (let after: string | null = start, page = 0; after !== null && page < pages; page += 1) {
      const answer = await ask('GET', `/orders/logs?after=${after}&limit=${PAGE}`)
      const { logs, next }: Page = wanted('order', answer)
      for (const entry of logs) if (entry.facts.order === order) read.push({ ...entry, service: 'order' })
      last = logs.at(-1)
      if (next === null || last === undefined || last.at > end) return undefined
      after = next
    }
    return last
  }
  const left = await readFrom(before(created_at), readsAll ? Number.POSITIVE_INFINITY : PAGES_MAX)
  if (left !== undefined) await readFrom(before(changed), PAGES_MAX)
  const changes = read.filter(({ kind }) => isOfNoSaga('order', kind))
  const followed = read.filter(({ kind }) => !FOLLOWED_BY_NOBODY.includes(kind))
  return {
    changes,
    logIds: [...new Set(followed.map(({ log_id }) => log_id))],
    gap: left === undefined ? null : { from: left.at, to: changed },
  }
}
