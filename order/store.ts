/**
 * The log of order over its Redis, and what is asked and commanded of it. It and its parts (`store/`) are the only files that
 * speak to that Redis; its keys are in `store/keys.ts`.
 */
import { type Auditor, auditor } from '../shared/audit/auditor.ts'
import { type Log, openLog } from '../shared/log/log.ts'
import { runner as runnerOf } from '../shared/log/runner.ts'
import { openRecovery, type Recovery } from '../shared/saga/recovery.ts'
import type { Dependencies } from '../shared/service.ts'
import { AMENDMENTS_MAX } from './amend/amendment.ts'
import type { Decision } from './commands.ts'
import { type OrderMetrics, unmeasured } from './metrics.ts'
import { LINES_MAX } from './order.ts'
import { emits, reactions } from './reactions.ts'
import { recovery, saga } from './recovery.ts'
import { REFUNDS_MAX } from './refunds/refund.ts'
import { type AmendmentStore, openAmendmentStore } from './store/amendments.ts'
import { type CancellationStore, openCancellationStore } from './store/cancellations.ts'
import { type CartStore, openCartStore } from './store/cart.ts'
import { type ChangeStore, openChangeStore } from './store/changes.ts'
import { type CheckoutStatusStore, openCheckoutStatusStore } from './store/checkout-status.ts'
import { type CheckoutStore, openCheckoutStore } from './store/checkouts.ts'
import { type ContradictionStore, openContradictionStore } from './store/contradictions.ts'
import { type Announcements, type Contradiction, openAnnouncements, openDecisions } from './store/decisions.ts'
import { type DraftStore, openDraftStore } from './store/drafts.ts'
import { names } from './store/keys.ts'
import { type ListingStore, openListingStore } from './store/listing.ts'
import { openRefundStore, type RefundStore } from './store/refunds.ts'
import { upholding } from './store/uphold.ts'
import { openWebhookStore, type WebhookStore } from './store/webhooks.ts'

/** Whose folder `lua/` holds commands, besides that of order itself. */
const ROOMS = ['checkout', 'cancel', 'change', 'amend', 'drafts', 'refunds', 'webhooks'] as const

export type Store = AmendmentStore &
  CartStore &
  CancellationStore &
  ChangeStore &
  CheckoutStore &
  CheckoutStatusStore &
  DraftStore &
  ListingStore &
  ContradictionStore &
  RefundStore &
  WebhookStore &
  Announcements & {
    readonly log: Log
    readonly auditor: Auditor
    /** `begin` has a submitted checkout begun in this process. @returns what came of it */
    readonly recovery: (onDecided: (decided: Decision) => void, begin?: (id: string) => Promise<string>) => Recovery
  }

export const openStore = (
  dependencies: Dependencies,
  onContradicted: (contradiction: Contradiction) => void = () => undefined,
  measured: OrderMetrics = unmeasured,
): Store => {
  const { redis, step, catchUp, identifiers, retentionS, metrics } = dependencies
  const log: Log = openLog({
    service: 'order',
    redis,
    step,
    lua: ['', ...ROOMS.map((room) => `${room}/`)].map((room) => new URL(`${room}lua/`, import.meta.url)),
    names,
    supplies: { things: 'balance' },
    limits: { lines_max: LINES_MAX, refunds_max: REFUNDS_MAX, amendments_max: AMENDMENTS_MAX },
    reactions,
    saga,
    emits,
    uphold: (gone) => uphold(gone),
    retentionS,
    metrics,
  })
  const runner = runnerOf(log)
  const { run, runOnce } = runner
  const decisions = openDecisions(log, onContradicted, measured)
  const uphold = upholding({ run, catchUp, identifiers, decisions, onContradicted })
  const parts = { ...dependencies, log, runOnce, recall: runner.recall, measured }
  const { checkouts, repair } = openCheckoutStore({ ...parts, runner, decisions })
  const contradicted = openContradictionStore(parts)

  return {
    log,
    auditor: auditor(log),
    recovery: (onDecided, begin = async () => 'waiting') =>
      openRecovery({
        log,
        saga,
        table: recovery,
        own: { cancel: repair(onDecided), begin: ({ log_id }) => begin(log_id) },
        contradictions: contradicted.contradictions,
      }),
    ...openCartStore(parts),
    ...openChangeStore(parts),
    ...openAmendmentStore(parts),
    ...openDraftStore(parts),
    ...openListingStore(parts),
    ...openCancellationStore({ ...parts, runner, decisions }),
    ...checkouts,
    ...openCheckoutStatusStore({ ...parts, ...decisions }),
    ...contradicted,
    ...openRefundStore(parts),
    ...openWebhookStore(parts),
    ...openAnnouncements(decisions, step),
  }
}
