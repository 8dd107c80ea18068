/**
 * Which replica delivers, and when?
 *
 * The one that has the lease, if there are webhooks: each replica looks once a second whether there are any, and that is all that
 * a shop without webhooks pays for them. The one that delivers looks twice a second what is due. It has a connection of its own
 * for that, for as long as it delivers. Two replicas may deliver at once for a moment: see `deliver.ts`.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { UnavailableError } from '../../shared/errors.ts'
import type { Dependencies } from '../../shared/service.ts'
import type { DeliveryStore } from '../store/deliveries.ts'
import type { WebhookStore } from '../store/webhooks.ts'
import { type DeliverOptions, openDeliver } from './deliver.ts'

const LOOK_MS = 1_000
const DUE_MS = 500

export type Delivering = { readonly start: () => void; readonly stop: () => Promise<void> }

export type DeliveringOptions = Pick<Dependencies, 'underLease' | 'logger'> &
  Pick<DeliverOptions, 'send' | 'measured' | 'waitMs'> & {
    readonly store: Pick<WebhookStore, 'hasWebhooks'>
    /** Opens the store over a connection of its own. */
    readonly openDeliveries: () => DeliveryStore
  }

const wait = (ms: number, signal: AbortSignal): Promise<void> => pause(ms, undefined, { signal }).catch(() => undefined)

/** What the own Redis prevents is done later. */
const unlessAway = async (work: () => Promise<void>): Promise<void> => {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
  }
}

export const openDelivering = (options: DeliveringOptions): Delivering => {
  const { store, openDeliveries, underLease } = options
  const stopping = new AbortController()
  let running: Promise<void> = Promise.resolve()

  /** Delivers to all webhooks at once, to each one event after the other. */
  const deliverAll = async (signal: AbortSignal): Promise<void> => {
    const deliveries = openDeliveries()
    const deliver = openDeliver({ ...options, store: deliveries })
    const underWay = new Map<string, Promise<void>>()
    const begin = (webhook: string): void => {
      const delivered = unlessAway(() => deliver(webhook, signal)).finally(() => underWay.delete(webhook))
      underWay.set(webhook, delivered)
    }
    while (!signal.aborted) {
      await unlessAway(async () => {
        for (const webhook of await deliveries.due()) if (!underWay.has(webhook)) begin(webhook)
      })
      await wait(DUE_MS, signal)
    }
    await Promise.all(underWay.values())
    deliveries.close()
  }

  const run = async (): Promise<void> => {
    const { signal } = stopping
    let lease: ReturnType<typeof underLease> | undefined
    while (!signal.aborted) {
      await unlessAway(async () => {
        const isWanted = await store.hasWebhooks()
        if (isWanted && lease === undefined) {
          lease = underLease('webhooks', deliverAll)
          lease.start()
        } else if (!isWanted && lease !== undefined) {
          await lease.stop()
          lease = undefined
        }
      })
      await wait(LOOK_MS, signal)
    }
    await lease?.stop()
  }

  return {
    start: () => {
      running = run()
    },
    stop: () => {
      stopping.abort()
      return running
    },
  }
}
