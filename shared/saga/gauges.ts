/**
 * How much wants to be done, in numbers?
 *
 * One question to the own Redis at each scrape, which costs the same however much there is, and one to each peer.
 */

import type { Log } from '../log/log.ts'
import type { Peers } from '../log/peers.ts'
import { counter, gauge } from '../metrics/metric.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Step } from '../process/step.ts'
import { list, text, tuple } from '../redis/reply.ts'
import type { Recovery } from './recovery.ts'

/** So many of the stalest sagas are looked at one by one; Redis does so in half a millisecond. */
export const LOOKED_AT_MAX = 1_000
/** The state of those that are not. */
export const UNREAD = 'not-looked-at'

export const sagaGauges = {
  open: gauge(
    'shop_sagas_open',
    `Sagas that are not finished here, by their states; beyond the ${LOOKED_AT_MAX} stalest these are not looked at`,
    'state',
  ),
  overdue: gauge('shop_sagas_overdue', 'Sagas that are past their deadlines, and a while more, and undecided'),
  deadLetters: gauge('shop_dead_letters', 'Entries that could not be applied and wait for a person'),
  lostTails: counter(
    'shop_lost_tails_total',
    'How often it was noticed that a Redis came back without the end of its log',
  ),
  lagSeconds: gauge(
    'shop_log_reader_lag_seconds',
    'How long the oldest entry of a publisher has waited that is to be applied here, or for how long it does not answer',
    'publisher',
  ),
  lagEntries: gauge(
    'shop_log_reader_lag_entries',
    'How many entries of a publisher wait to be applied here',
    'publisher',
  ),
} as const

export type SagaGaugesOptions = {
  readonly log: Log
  readonly recovery: Pick<Recovery, 'deadline' | 'unfinished'> | undefined
  readonly peers: Pick<Peers, 'readers'>
  readonly step: Step
  readonly metrics: Metrics
}

const found = tuple(text, list(text), text, text, text)

/** How often each state is there, also those that are not. */
const countEach = (known: readonly string[], states: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map(known.map((state) => [state, 0]))
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1)
  return counts
}

export const openSagaGauges = ({ log, recovery, peers, step, metrics }: SagaGaugesOptions): void => {
  const ask = log.query('gauges', found)
  const { unfinished = [], deadline = { graceMs: 0, maxMs: 0 } } = recovery ?? {}
  const { graceMs, maxMs } = deadline
  const about = `${LOOKED_AT_MAX} ${graceMs} ${maxMs}`
  metrics.source('log', sagaGauges, async (tell) => {
    const { found: now } = await step('gauges', () => ask(about))
    const [open, states, overdue, dead, lost] = now
    for (const [state, count] of countEach(unfinished, states)) tell.open(count, state)
    if (Number(open) > states.length) tell.open(Number(open) - states.length, UNREAD)
    tell.overdue(Number(overdue))
    tell.deadLetters(Number(dead))
    tell.lostTails(Number(lost))
    for (const { publisher, ms, entries, unreachedMs } of await peers.readers()) {
      tell.lagSeconds((ms ?? unreachedMs) / 1_000, publisher)
      if (entries !== null) tell.lagEntries(entries, publisher)
    }
  })
}
