/**
 * How does a request learn that payment has drafted the invoice of its order?
 *
 * Where there is one replica, the reader of payment's log tells which version was drafted, as soon as it has read of it: payment has the
 * draft then, and whoever asks this replica for it comes behind the command that notes it, on the same connection. Where there are more,
 * another one might be asked: there the channel of drafts tells, once it is noted. Neither is trusted: one that has waited for a while
 * asks, so that what its client is answered is true. It waits no longer than a client likes to, for the draft follows, whatever happens.
 */
import { field, kindOf, type RawEntry } from '../../shared/contract/raw-entry.ts'
import { UnavailableError } from '../../shared/errors.ts'
import { TransientMap } from '../../shared/process/transient-map.ts'

/** The draft of an order shows this version of it now. */
export type Drafted = { readonly order: string; readonly version: number }

export type Drafts = {
  /** Resolves with whether this version of the order is drafted, or a later one: once it is, or after `ms`, or at the signal. */
  readonly wait: (wanted: Drafted, ms: number, closing: AbortSignal) => Promise<boolean>
  /** To be called with every entry of payment's that this process has read, before it is known to be applied. */
  readonly onHeard: (entry: RawEntry) => void
  /** To be called when a draft is noted, with whether there are other replicas, to which it was announced. */
  readonly onNoted: (wasAnnounced: boolean) => void
  /** To be called with every draft that was announced. */
  readonly onDrafted: (drafted: Drafted) => void
}

/** For so long a request waits for a draft: as a rule it takes milliseconds. */
export const WAIT_MS = 1_000
/** One that has waited for so long looks: it may have been noted before it waited. */
const LOOK_EVERY_MS = 200
/** How often it is looked which are to look: one timer for all, and one listener, for each of them costs as much as the rest of a wait. */
const SWEEP_MS = 50

type Waiting = Drafted & { readonly untilMs: number; readonly resolve: (isDrafted: boolean) => void }

/** Those that wait to be told. */
const openWaiting = () => {
  const byOrder = new TransientMap<readonly Waiting[]>()
  let isSweeping = false
  let watched: AbortSignal | undefined

  /** Has those end their wait that are told something, or have waited for long enough. */
  const end = (order: string, isOver: (one: Waiting) => boolean, isDrafted: boolean): void => {
    const all = byOrder.get(order) ?? []
    const others = all.filter((one) => !isOver(one))
    if (others.length === 0) byOrder.delete(order)
    else byOrder.set(order, others)
    for (const one of all) if (isOver(one)) one.resolve(isDrafted)
  }
  const endAll = (nowMs: number): void => {
    for (const [order] of byOrder) end(order, ({ untilMs }) => untilMs <= nowMs, false)
  }
  const sweep = (): void => {
    endAll(performance.now())
    isSweeping = byOrder.size > 0
    if (isSweeping) setTimeout(sweep, SWEEP_MS)
  }

  return {
    told: (wanted: Drafted, ms: number): Promise<boolean> => {
      const { promise, resolve } = Promise.withResolvers<boolean>()
      const one = { ...wanted, untilMs: performance.now() + ms, resolve }
      const others = byOrder.get(wanted.order)
      byOrder.set(wanted.order, others === undefined ? [one] : [...others, one])
      if (!isSweeping) setTimeout(sweep, SWEEP_MS)
      isSweeping = true
      return promise
    },
    tell: ({ order, version }: Drafted): void => {
      if (byOrder.get(order)) end(order, (one) => version >= one.version, true)
    },
    /** At the signal all look. It is that of the server, and the same for all its requests. */
    watch: (closing: AbortSignal): void => {
      if (closing === watched) return
      watched = closing
      closing.addEventListener('abort', () => endAll(Number.POSITIVE_INFINITY), { once: true })
    },
  }
}

/** The draft that an entry of payment's tells of. */
export const draftedBy = (entry: RawEntry): Drafted | undefined => {
  if (kindOf(entry) !== 'InvoiceDrafted') return undefined
  return { order: field(entry, 'order') ?? '', version: Number(field(entry, 'order_version')) }
}

/** @param draftedVersion which version of an order is drafted; 0 if none is. @throws UnavailableError */
export const openDrafts = (draftedVersion: (order: string) => Promise<number>): Drafts => {
  const { told, tell, watch } = openWaiting()

  /** Are there other replicas? Whoever notes a draft learns it; of the first one it is not known yet. */
  let hasOthers = false

  const isDrafted = async ({ order, version }: Drafted): Promise<boolean> => {
    try {
      return (await draftedVersion(order)) >= version
    } catch (error) {
      if (error instanceof UnavailableError) return false
      throw error
    }
  }

  return {
    wait: async (wanted, ms, closing) => {
      const untilMs = performance.now() + ms
      watch(closing)
      for (;;) {
        const leftMs = closing.aborted ? 0 : untilMs - performance.now()
        if (leftMs <= 0) return isDrafted(wanted)
        const isTold = await told(wanted, Math.min(LOOK_EVERY_MS, leftMs))
        if (isTold || (await isDrafted(wanted))) return true
      }
    },
    onHeard: (entry) => {
      const drafted = hasOthers ? undefined : draftedBy(entry)
      if (drafted !== undefined) tell(drafted)
    },
    onNoted: (wasAnnounced) => {
      hasOthers = wasAnnounced
    },
    onDrafted: tell,
  }
}
