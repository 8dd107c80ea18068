/**
 * How is the whole shop audited while it runs?
 *
 * Order asks, because it knows the saga. First every service counts what it owns, which takes seconds if there is much;
 * then the cut of `conservation.ts` is taken, in milliseconds: order's, then payment's and stock's, then what order said
 * meanwhile and what the neighbours had done of each checkout in flight. If that does not add up, a Redis may have come
 * back older, and be hearing again what it had heard: then whatever somebody has still to hear is in flight as well, on
 * the same cut. If it does not add up even so, something is wrong, and checkout after checkout is compared to name it.
 *
 * Who asks while an audit is under way shares it.
 */
import type { Auditor, Count, Cut } from '../shared/audit.ts'
import { compareIds, type LogEntry } from '../shared/entry.ts'
import { NeighbourError, UnavailableError } from '../shared/errors.ts'
import type { Answer } from '../shared/http.ts'
import type { Log } from '../shared/log.ts'
import type { Neighbour } from '../shared/neighbour.ts'
import { disagreement, type Ledger, ledger, type Orders, showing, shownByBooks, surplus } from './conservation.ts'
import { type Mismatch, type Party, type PartyCut, paidBy, party, Refused } from './parties.ts'

export type Audit = (authorization: string | undefined) => Promise<Answer>

export type AuditOptions = {
  readonly log: Log
  readonly auditor: Auditor
  readonly neighbours: Readonly<Record<'payment' | 'stock', Neighbour>>
}

const PAGE = 1_000
/** The most orders that an audit names of one kind of mismatch. */
const NAMED_MAX = 100
/** How long checkouts are compared to name those that differ. */
const NAMING_MS = 8_000
/** The most checkouts in flight that are looked at one by one. */
const IN_FLIGHT_MAX = 20_000

type Parties = Readonly<Record<'payment' | 'stock', Party>>
type Cuts = { readonly order: Cut; readonly payment: PartyCut; readonly stock: PartyCut }
type InFlight = { readonly count: number; readonly credit: readonly bigint[]; readonly stock: readonly bigint[] }

const told = ({ added, left, spent, inFlight }: Ledger, names: { left: string; spent: string }) => ({
  added: String(added),
  [names.left]: String(left),
  [names.spent]: String(spent),
  in_flight: String(inFlight),
})

export const audits = ({ log, auditor, neighbours }: AuditOptions): Audit => {
  let running: Promise<Answer> | undefined

  const cutAll = async ({ payment, stock }: Parties): Promise<Cuts> => {
    // Order first: what it had decided then, the others had done before.
    const order = await auditor.cut()
    const [ofPayment, ofStock] = await Promise.all([payment.cut(), stock.cut()])
    return { order, payment: ofPayment, stock: ofStock }
  }

  /** What the neighbours had done of these checkouts, less what order's books had of them already. */
  const flight = async ({ payment, stock }: Parties, cuts: Cuts, ids: readonly string[]): Promise<InFlight> => {
    if (ids.length > IN_FLIGHT_MAX)
      throw new UnavailableError(`${ids.length} checkouts are in flight, too many to audit`)
    const [captured, taken, said, records] = await Promise.all([
      payment.done(cuts.payment.at, ids),
      stock.done(cuts.stock.at, ids),
      auditor.sagasAt(cuts.order.at, ids),
      auditor.records(ids),
    ])
    const done = paidBy(said, new Map(records.map(({ log_id, fields }) => [log_id, fields])))
    return {
      count: ids.length,
      credit: ids.map((id) => (captured.get(id) ?? 0n) - (done.get(id)?.paid ?? 0n)),
      stock: ids.map((id) => (taken.get(id) ?? 0n) - (done.get(id)?.sold ?? 0n)),
    }
  }

  const run = async (authorization: string | undefined): Promise<Answer> => {
    const parties = {
      payment: party('payment', neighbours.payment, authorization),
      stock: party('stock', neighbours.stock, authorization),
    }
    const [payment, stock, orders] = await Promise.all([
      parties.payment.count(),
      parties.stock.count(),
      auditor.count(),
    ])
    const cuts = await cutAll(parties)
    for (const [counted, cut] of [[payment, cuts.payment] as const, [stock, cuts.stock] as const])
      if (compareIds(cut.at, counted.at) < 0) throw new UnavailableError('a Redis came back older during the audit')
    const { books } = cuts.order
    const ledgers = (inFlight: InFlight): Record<'credit' | 'stock', Ledger> => ({
      credit: ledger(payment, cuts.payment, books('paid'), inFlight.credit),
      stock: ledger(stock, cuts.stock, books('sold'), inFlight.stock),
    })
    const isBalanced = ({ credit, stock }: Record<'credit' | 'stock', Ledger>): boolean =>
      surplus(credit) === 0n && surplus(stock) === 0n

    const open = new Set([...cuts.order.open, ...(await checkoutsAfter(cuts.order.at, log.page))])
    let inFlight = await flight(parties, cuts, [...open])
    let sums = ledgers(inFlight)
    let wrong: readonly Mismatch[] = []
    if (!isBalanced(sums)) {
      for (const id of await unheard(log, parties, cuts)) open.add(id)
      inFlight = await flight(parties, cuts, [...open])
      sums = ledgers(inFlight)
      if (!isBalanced(sums)) wrong = await disagreements(auditor, parties)
    }
    const mismatches = [
      ...unequal('credit', sums.credit, 'in wallets', 'paid'),
      ...unequal('stock', sums.stock, 'on the shelf', 'sold'),
      ...payment.mismatches,
      ...stock.mismatches,
      ...misshown(orders, showing(orders.worth)),
      ...wrong,
    ]
    return {
      json: {
        balanced: mismatches.length === 0,
        credit: told(sums.credit, { left: 'wallets', spent: 'paid' }),
        stock: told(sums.stock, { left: 'shelf', spent: 'sold' }),
        in_flight: inFlight.count,
        cut: { order: cuts.order.at, payment: cuts.payment.at, stock: cuts.stock.at },
        mismatches,
      },
    }
  }

  const answered = async (authorization: string | undefined): Promise<Answer> => {
    try {
      return await run(authorization)
    } catch (error) {
      if (error instanceof Refused) return { problem: error.problem }
      if (error instanceof NeighbourError) throw new UnavailableError(error.message, { cause: error.cause })
      throw error
    }
  }

  return (authorization) => {
    running ??= answered(authorization).finally(() => {
      running = undefined
    })
    return running
  }
}

/** The checkouts of which something was said after an entry. */
const checkoutsAfter = async (
  after: string,
  read: (after: string, limit: number) => Promise<readonly LogEntry[]>,
): Promise<ReadonlySet<string>> => {
  const ids = new Set<string>()
  for (let from = after, more = true; more; ) {
    const page = await read(from, PAGE)
    // What bears an order and is no order's own making or filling is said of a checkout.
    for (const { kind, log_id, facts } of page)
      if (facts.order !== undefined && kind !== 'OrderCreated' && kind !== 'LineAdded') ids.add(log_id)
    if (ids.size > IN_FLIGHT_MAX)
      throw new UnavailableError('a service hears again what it had lost: too much to audit')
    from = page.at(-1)?.id ?? from
    more = page.length === PAGE
  }
  return ids
}

/** The checkouts of which one of the three had still to hear something, in the cut. */
const unheard = async (log: Log, { payment, stock }: Parties, cuts: Cuts): Promise<readonly string[]> => {
  const earliest = (a = '0-0', b = '0-0'): string => (compareIds(a, b) < 0 ? a : b)
  const said = await Promise.all([
    checkoutsAfter(earliest(cuts.payment.heard.order, cuts.stock.heard.order), log.page),
    checkoutsAfter(earliest(cuts.order.heard.payment, cuts.stock.heard.payment), payment.page),
    checkoutsAfter(earliest(cuts.order.heard.stock, cuts.payment.heard.stock), stock.page),
  ])
  return said.flatMap((ids) => [...ids])
}

/** Compares what the three have recorded of every checkout, as long as there is time, and names those that differ. */
const disagreements = async (auditor: Auditor, { payment, stock }: Parties): Promise<readonly Mismatch[]> => {
  const patience = performance.now() + NAMING_MS
  const found = new Map<string, Mismatch>()
  const isDone = (): boolean => found.size >= NAMED_MAX || performance.now() > patience
  const compare = async (ids: readonly string[]): Promise<void> => {
    // Order's first: once it has decided, the others have done their part.
    const own = new Map((await auditor.records(ids)).map(({ log_id, fields }) => [log_id, fields]))
    const [byPayment, byStock] = await Promise.all([payment.records(ids), stock.records(ids)])
    for (const id of ids) {
      const detail = disagreement(own.get(id) ?? {}, byPayment.get(id) ?? {}, byStock.get(id) ?? {})
      if (detail === undefined) continue
      const order = own.get(id)?.order ?? byPayment.get(id)?.order ?? byStock.get(id)?.order
      found.set(id, {
        what: 'checkout',
        detail: `checkout ${id}: ${detail}`,
        orders: order === undefined ? [] : [order],
      })
    }
  }
  for (const recordsPage of [auditor.recordsPage, payment.recordsPage, stock.recordsPage])
    for (let cursor = '0', done = false; !done; done = cursor === '0' || isDone()) {
      const { next, records } = await recordsPage(cursor)
      await compare(records.map(({ log_id }) => log_id))
      cursor = next
    }
  const named = [...found.values()].slice(0, NAMED_MAX)
  if (performance.now() <= patience) return named
  return [...named, { what: 'checkout', detail: 'there were more checkouts than could be compared', orders: [] }]
}

const unequal = (what: string, sums: Ledger, left: string, spent: string): Mismatch[] => {
  const more = surplus(sums)
  if (more === 0n) return []
  const { added, inFlight } = sums
  const verdict = more > 0n ? `${more} too much` : `${-more} is missing`
  const detail = `${added} was added, but ${sums.left} is ${left}, ${sums.spent} ${spent} and ${inFlight} in flight: ${verdict}`
  return [{ what, detail, orders: [] }]
}

/** What orders show must be what the books say, and every paid one must have been paid by its checkout. */
const misshown = ({ books }: Count, shown: Orders): Mismatch[] => {
  const expected = shownByBooks(books)
  const unequal = (['paid', 'sold'] as const).filter((name) => shown[name] !== expected[name])
  if (unequal.length === 0 && !shown.odd) return []
  const sums = unequal.map((name) => `${shown[name]} is ${name} by all orders, and ${expected[name]} by the books`)
  const odd = shown.odd ? [`${shown.oddOnes.length} show what their checkout does not say`] : []
  return [{ what: 'orders', detail: [...sums, ...odd].join('; '), orders: shown.oddOnes.slice(0, NAMED_MAX) }]
}
