/** Opens, wires and closes the order service; the only file of it that sees `process`. */
import process from 'node:process'
import { peer } from '../shared/http/client.ts'
import { leaseFrom } from '../shared/log/log-id.ts'
import type { Settings } from '../shared/process/config.ts'
import { isLoopback } from '../shared/process/exposure.ts'
import { run } from '../shared/process/lifecycle.ts'
import { connect, disconnect, tellTo } from '../shared/redis/connection.ts'
import { type Dependencies, openService } from '../shared/service.ts'
import { amending } from './amend/amending.ts'
import { audits } from './audit/audit.ts'
import { cancelling } from './cancel/cancel.ts'
import { expiring } from './cancel/expiry.ts'
import { cancelRoutes } from './cancel/routes.ts'
import { changeRoutes } from './change/patch.ts'
import { type Checkouts, checkouts } from './checkout/checkout.ts'
import { openGates } from './checkout/gates.ts'
import { contradictionTeller, showContradictions } from './contradictions.ts'
import { type Drafts, openDrafts } from './drafts/drafts.ts'
import { openOrderMetrics } from './metrics.ts'
import { openPeers } from './peers.ts'
import { refundRoutes } from './refunds/routes.ts'
import { openSettlements, type Settlements } from './refunds/settlements.ts'
import { routesOf } from './routes.ts'
import { settings } from './settings.ts'
import { openDeliveryStore } from './store/deliveries.ts'
import { openStore, type Store } from './store.ts'
import { openWaits, type Waits } from './waits.ts'
import { openWebhooks, type Webhooks } from './webhooks/webhooks.ts'

type Waiting = {
  readonly store: Store
  readonly checkout: Pick<Checkouts, 'onDecided'>
  readonly settlements: Pick<Settlements, 'onSettled'>
  readonly drafts: Pick<Drafts, 'onNoted'>
  readonly waits: Pick<Waits, 'wake'>
}

/** Tells who waits what followed an entry of a peer's. */
const telling =
  ({ store, checkout, settlements, drafts, waits }: Waiting) =>
  (reply: Parameters<Store['decidedBy']>[0]): void => {
    const decided = store.decidedBy(reply)
    if (decided) checkout.onDecided(decided)
    const settled = store.settledBy(reply)
    if (settled !== undefined) settlements.onSettled(settled)
    const wasAnnounced = store.wasAnnounced(reply)
    if (wasAnnounced !== undefined) drafts.onNoted(wasAnnounced)
    const cancelled = store.cancelledBy(reply)
    if (cancelled !== undefined) waits.wake(cancelled)
  }

type Config = Settings<typeof settings>

const webhooksOf = (config: Config, dependencies: Dependencies, store: Store): Webhooks => {
  const { allowPrivateWebhooks, auth, host, redisUrl } = config
  const openRedis = () => connect(redisUrl, 'command', tellTo(dependencies.logger, 'own Redis, of webhooks'))
  return openWebhooks({
    ...dependencies,
    store,
    // Where only this machine can ask, whoever has events sent to it can reach it as well.
    isPrivateAllowed: allowPrivateWebhooks || (auth === 'open' && isLoopback(host)),
    openDeliveries: () => openDeliveryStore({ ...dependencies, redis: openRedis() }),
  })
}

await run(process, 'order', settings, (context) => {
  const { payment, stock, ids, paymentOrigins, stockOrigins, deadlineMs, lockTtlMs, checkoutsMax, redisUrl } =
    context.config
  const ask = (name: string, origins: readonly string[]) =>
    peer(context.step, name, origins, context.config.gatewaySecret)
  const expiryMs = context.config.expiryMs || context.config.expiryHours * 3_600_000
  return openService(context, {
    service: 'order',
    prefix: '/orders',
    peers: { payment, stock },
    subscribers: ['payment'],
    beginsSagas: true,
    build: (dependencies) => {
      const { metrics, logger } = dependencies
      const measured = openOrderMetrics({ metrics })
      const store = openStore(dependencies, contradictionTeller(measured, logger), measured)
      showContradictions(metrics, store)
      const checkout = checkouts({
        store,
        redLock: dependencies.redLock,
        nextLogId: dependencies.identifiers.next,
        ...openGates({ metrics, most: checkoutsMax, deadlineMs }),
        deadlineMs,
        lockTtlMs,
        asyncDeadlineMs: context.config.asyncDeadlineMs,
        submittedMax: context.config.submittedMax,
        shutdown: context.shutdown,
        measured,
      })
      const subscriber = connect(redisUrl, 'subscriber', tellTo(context.logger, 'channel of outcomes'))
      store.watchOutcomes(subscriber, checkout.onOutcome)
      const settlements = openSettlements(store)
      store.watchSettlements(subscriber, settlements.onSettled)
      const drafts = openDrafts(store.draftedVersion)
      store.watchDrafts(subscriber, drafts.onDrafted)
      const waits = openWaits()
      store.watchCancellations(subscriber, waits.wake)
      const cancel = cancelling({ store, onDecided: checkout.onDecided, settlements, waits })
      const peers = openPeers(ask('payment', paymentOrigins), ask('stock', stockOrigins))
      const { find, contradictions } = store
      const answerAmendment = amending({ store, follow: checkout.follow, settlements })
      const webhooks = webhooksOf(context.config, dependencies, store)
      const audit = audits({
        log: store.log,
        auditor: store.auditor,
        peers,
        find,
        contradictions,
        onAudited: measured.audited,
      })
      return {
        log: store.log,
        recovery: store.recovery(checkout.onDecided, checkout.begin),
        ...(expiryMs > 0 ? { tidy: expiring(store, expiryMs, context.logger) } : {}),
        routes: [
          ...cancelRoutes(cancel),
          ...refundRoutes(store, settlements),
          ...webhooks.routes,
          ...changeRoutes({ store, peers, drafts, answerAmendment, timeoutMs: deadlineMs }),
          ...routesOf(store, checkout, drafts, peers, audit),
        ],
        lease: leaseFrom(ask('ids', ids)),
        onHeard: drafts.onHeard,
        onApplied: telling({ store, checkout, settlements, drafts, waits }),
        start: () => {
          webhooks.start()
          return checkout.start()
        },
        stop: async () => {
          checkout.stop()
          disconnect(subscriber)
          await webhooks.stop()
        },
      }
    },
  })
})
