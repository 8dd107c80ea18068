/**
 * How did a checkout end, and what was its client answered?
 *
 * Each way by which this process learns of a decision passes here: what a command returned, what came over the channel of
 * outcomes, what is recorded. The log remembers its entry (`shared/log/own-tail.ts`), because the client is
 * answered: if the Redis comes back older, the end is upheld (`uphold.ts`).
 */
import type { Redis } from 'ioredis'
import { type KindOf, VERSION } from '../../shared/contract/events.ts'
import { unreachable } from '../../shared/errors.ts'
import type { Log } from '../../shared/log/log.ts'
import { knownResult, type ResultOf, type ResultOnce } from '../../shared/redis/command.ts'
import type { Reply } from '../../shared/redis/script.ts'
import type { Dependencies } from '../../shared/service.ts'
import * as commands from '../commands.ts'
import type { OrderMetrics } from '../metrics.ts'
import type { Ended, Undecided } from '../order.ts'
import { listen } from './channel.ts'
import { names } from './keys.ts'

/** What was decided can no longer be true: by what, as it is recorded. */
export type Contradiction = { readonly id: string; readonly by: string; readonly order: string }

/** What a command returns that may have decided a checkout. */
export type Deciding =
  | ResultOf<typeof commands.complete>
  | ResultOf<typeof commands.fail>
  | ResultOf<typeof commands.close>
  | ResultOnce<typeof commands.cancel>
  | ResultOf<typeof commands.uphold>

/** A checkout of which a client is told that it will be decided, by the first entry of it. */
export type UnderWay = {
  readonly id: string
  readonly state: Undecided
  readonly order: string
  readonly user: string
  readonly total: string
  readonly lines: string
  readonly deadline: string
  readonly entry: string
}

export type Decisions = {
  /** Remembers how a checkout ended, with the entry of that: its client is answered. */
  readonly acknowledge: (decision: commands.Decision) => void
  /** The same of one that will end: its client is told so. */
  readonly acknowledgeUnderWay: (checkout: UnderWay) => void
  /** To be called with a decision that a command of this process has made, unless it was taken out of the command's result here. */
  readonly onMade: (decision: commands.Decision) => void
  /** The decision in what a command returned, if it is one. */
  readonly decisionIn: (result: Deciding) => commands.Decision | undefined
}

export type Announcements = {
  /** The decision in what was returned to an entry of payment's, if it is one. */
  readonly decidedBy: (reply: Reply) => commands.Decision | undefined
  /** Reads what comes over the channel of outcomes. */
  readonly watchOutcomes: (subscriber: Redis, onOutcome: (ended: Ended) => void) => void
}

/** What was emitted when a checkout came to this state, and what its client was answered then. */
const ENDS: Readonly<Record<Ended['state'], readonly [kind: KindOf<'order'>, told: 'paid' | 'failed' | 'cancelled']>> =
  {
    paid: ['OrderPaid', 'paid'],
    failed: ['CheckoutFailed', 'failed'],
    cancelling: ['CheckoutCancelled', 'cancelled'],
    closed: ['CheckoutClosed', 'cancelled'],
  }
/** The first entry of a checkout that is not decided. */
const BEGINNINGS: Readonly<Record<Undecided, KindOf<'order'>>> = {
  submitted: 'CheckoutSubmitted',
  'checking-out': 'CheckoutStarted',
}
/** What the client of a checkout was answered, by the kind of the entry that ended it, or with which it began. */
export const TOLD: ReadonlyMap<string, string> = new Map([
  ...Object.values(ENDS),
  ...Object.values(BEGINNINGS).map((kind) => [kind, 'under-way'] as const),
])

/** What is returned to an entry of payment's. */
const APPLIED = { ...commands.complete.returns, ...commands.fail.returns, ...commands.close.returns }

export const openDecisions = (
  log: Pick<Log, 'acknowledge'>,
  onContradicted: (contradiction: Contradiction) => void,
  measured: Pick<OrderMetrics, 'decided'>,
): Decisions => {
  const onMade: Decisions['onMade'] = (decision) => measured.decided(decision, decision.amends !== '')

  const acknowledge: Decisions['acknowledge'] = (decision) => {
    const { id, state, order, user, total, entry, amends } = decision
    const [kind] = ENDS[state]
    const by = 'by' in decision ? ` by=${decision.by}` : ''
    const amended = amends === '' ? '' : ` amends=${amends}`
    if (entry !== '')
      log.acknowledge(entry, () => [
        kind,
        `version=${VERSION} log_id=${id} order=${order} user=${user} total=${total}${by}${amended}`,
      ])
  }

  const acknowledgeUnderWay: Decisions['acknowledgeUnderWay'] = ({ entry, id, state, ...facts }) => {
    const { order, user, total, lines, deadline } = facts
    const told = `order=${order} user=${user} total=${total} lines=${lines} deadline=${deadline}`
    log.acknowledge(entry, () => [BEGINNINGS[state], `version=${VERSION} log_id=${id} ${told}`])
  }

  const decisionIn: Decisions['decisionIn'] = (result) => {
    switch (result[0]) {
      case 'paid':
      case 'adopted':
      case 'failed':
      case 'cancelled':
        onMade(result[1])
        acknowledge(result[1])
        return result[1]
      case 'decided':
        acknowledge(result[1])
        return result[1]
      case 'contradicted':
        onContradicted({ id: result[1], by: result[2], order: result[3] })
        return undefined
      case 'requested':
      case 'closed':
      case 'kept':
      case 'lost':
      case 'submitted':
      case 'repeated':
      case 'unknown':
      case 'key-reused':
        return undefined
      default:
        return unreachable('order.decision', result)
    }
  }
  return { acknowledge, acknowledgeUnderWay, onMade, decisionIn }
}

export const openAnnouncements = (
  { acknowledge, decisionIn }: Decisions,
  step: Dependencies['step'],
): Announcements => ({
  decidedBy: (reply) => {
    const result = knownResult(APPLIED, reply)
    return result && decisionIn(result)
  },
  watchOutcomes: (subscriber, onOutcome) => {
    listen(step, subscriber, names.outcomes, (message) => {
      const decision = commands.announced(message)
      // The sweep asks for what another version may announce.
      if (decision === undefined) return
      acknowledge(decision)
      onOutcome(decision)
    })
  },
})
