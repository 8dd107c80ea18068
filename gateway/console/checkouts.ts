/**
 * What is known of the checkouts from what is appended to the logs?
 *
 * Order's log says when each is begun and how it is decided; those of payment and stock, how far it has come. The last of them
 * are remembered, and of each second how many were decided in which way, and how long that took. A refund and an amendment are
 * sagas, too, and stand among them. What services had no room to show is counted all the same.
 */

/** An entry of a log, as far as it is looked at. */
export type Entry = {
  readonly id: string
  readonly kind: string
  readonly log_id: string
  readonly facts: Readonly<Record<string, string>>
}
/** What a service tells twice a second: see `shared/operator/live-log.ts`. */
export type Digest = {
  readonly skipped: boolean
  readonly counts: Readonly<Record<string, number>>
  readonly entries: readonly Entry[]
}

export type State =
  | 'submitted'
  | 'started'
  | 'paid'
  | 'refused'
  | 'cancelled'
  | 'contradicted'
  | 'resolved'
  | 'refunding'
  | 'refunded'

export type Checkout = {
  readonly log_id: string
  readonly what: 'checkout' | 'amendment' | 'refund'
  readonly order: string
  readonly user: string
  readonly total: string
  readonly state: State
  readonly reason: string
  readonly item: string
  /** Milliseconds since 1970, by the clocks of the Redis. */
  readonly begun: number
  readonly decided: number | null
  readonly deadline: number | null
  /** Its newest entry. */
  readonly last: string
}

/** What happened in one second. */
export type Second = {
  /** Seconds since 1970. */
  readonly at: number
  readonly started: number
  readonly paid: number
  readonly refused: number
  readonly cancelled: number
  /** Milliseconds from the beginning of a checkout to its decision; null where none was seen. */
  readonly p50: number | null
  readonly p99: number | null
  /** Something was not read. */
  readonly skipped: boolean
}

/** So many checkouts are remembered, told as the whole, and told as news: of thousands a second nobody reads more. */
const REMEMBERED = 400
const TOLD = 200
const NEWS = 100
const SECONDS = 120

type Step = { readonly state: State; readonly decides?: true; readonly begins?: true }
/** What an entry of order makes of a saga. */
const STEPS: Readonly<Record<string, Step>> = {
  CheckoutSubmitted: { state: 'submitted', begins: true },
  CheckoutStarted: { state: 'started', begins: true },
  OrderPaid: { state: 'paid', decides: true },
  CheckoutFailed: { state: 'refused', decides: true },
  CheckoutCancelled: { state: 'cancelled', decides: true },
  CheckoutClosed: { state: 'cancelled' },
  CheckoutContradicted: { state: 'contradicted' },
  CheckoutResolved: { state: 'resolved' },
  RefundGranted: { state: 'refunding', begins: true },
  RefundSettled: { state: 'refunded', decides: true },
}

const msOf = (id: string): number => Number.parseInt(id, 10)

const begunBy = ({ id, kind, log_id, facts }: Entry): Checkout => ({
  log_id,
  what: kind.startsWith('Refund') ? 'refund' : facts.amends === undefined ? 'checkout' : 'amendment',
  order: facts.order ?? '',
  user: facts.user ?? '',
  total: facts.total ?? '',
  state: 'started',
  reason: '',
  item: '',
  begun: msOf(id),
  decided: null,
  deadline: facts.deadline === undefined ? null : Number(facts.deadline),
  last: kind,
})

/** A checkout after an entry of order's log; undefined if the entry says nothing of one. */
const after = (known: Checkout | undefined, entry: Entry): Checkout | undefined => {
  const step = STEPS[entry.kind]
  if (step === undefined) return undefined
  const { id, kind, facts } = entry
  const from = known ?? begunBy(entry)
  // One that was decided may be told again: that decides nothing anew.
  const decided = step.decides ? (from.decided ?? msOf(id)) : from.decided
  return {
    ...from,
    state: step.state,
    decided,
    reason: facts.reason ?? from.reason,
    item: facts.item ?? from.item,
    deadline: facts.deadline === undefined ? from.deadline : Number(facts.deadline),
    last: kind,
  }
}

const quantile = (sorted: readonly number[], share: number): number | null =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null

export type Told = { readonly seconds: readonly Second[]; readonly checkouts: readonly Checkout[] }

export type Checkouts = {
  /** Nobody has looked for a while: what was open then may be over since. */
  readonly resume: () => void
  readonly take: (service: string, digest: Digest) => void
  /** Ends a second. */
  readonly tick: (nowMs: number) => void
  /** The seconds that have ended since this was called last, and which checkouts have changed, the newest last. */
  readonly news: () => Told
  /** All that is remembered, the oldest first. */
  readonly whole: () => Told
}

export const openCheckouts = (): Checkouts => {
  const known = new Map<string, Checkout>()
  const changed = new Set<string>()
  const seconds: Second[] = []
  let untold = 0
  let counted: Record<string, number> = {}
  let tookMs: number[] = []
  let skipped = false

  const remember = (checkout: Checkout): void => {
    known.set(checkout.log_id, checkout)
    changed.add(checkout.log_id)
    for (const oldest of known.keys()) {
      if (known.size <= REMEMBERED) break
      known.delete(oldest)
      changed.delete(oldest)
    }
  }

  const takeOfOrder = (entry: Entry): void => {
    const before = known.get(entry.log_id)
    const checkout = after(before, entry)
    if (checkout === undefined) return
    if (before?.decided === null && checkout.decided !== null) tookMs.push(checkout.decided - checkout.begun)
    remember(checkout)
  }
  const takeOfPeer = ({ log_id, kind }: Entry): void => {
    const checkout = known.get(log_id)
    if (checkout?.decided === null) remember({ ...checkout, last: kind })
  }

  const forgetOpen = (): void => {
    for (const { log_id, decided } of known.values()) if (decided === null) known.delete(log_id)
  }

  return {
    resume: forgetOpen,
    take: (service, digest) => {
      if (service !== 'order') return digest.entries.forEach(takeOfPeer)
      skipped ||= digest.skipped
      if (digest.skipped) forgetOpen()
      for (const [kind, count] of Object.entries(digest.counts)) counted[kind] = (counted[kind] ?? 0) + count
      digest.entries.forEach(takeOfOrder)
    },
    tick: (nowMs) => {
      tookMs.sort((a, b) => a - b)
      const second: Second = {
        at: Math.floor(nowMs / 1_000),
        started: counted.CheckoutStarted ?? 0,
        paid: counted.OrderPaid ?? 0,
        refused: counted.CheckoutFailed ?? 0,
        cancelled: counted.CheckoutCancelled ?? 0,
        p50: quantile(tookMs, 0.5),
        p99: quantile(tookMs, 0.99),
        skipped,
      }
      counted = {}
      tookMs = []
      skipped = false
      seconds.push(second)
      untold += 1
      if (seconds.length > SECONDS) seconds.shift()
    },
    news: () => {
      const told = {
        seconds: untold === 0 ? [] : seconds.slice(-untold),
        checkouts: [...changed].slice(-NEWS).flatMap((logId) => known.get(logId) ?? []),
      }
      untold = 0
      changed.clear()
      return told
    },
    whole: () => ({ seconds, checkouts: [...known.values()].slice(-TOLD) }),
  }
}
