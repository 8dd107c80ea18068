/**
 * How is the whole shop audited while it runs?
 *
 * Order asks, because it knows the saga. First every service counts what it owns, which takes seconds if there is much; then the cut
 * of `totals.ts` is taken, in milliseconds: order's, then payment's and stock's, then what order emitted meanwhile and what the peers
 * had done of each checkout in flight. If that does not add up, a Redis may have come back older, and be applying again what it had
 * applied: then a checkout of which a service has still to read what it acts on is in flight as well, on the same cut. If it does not
 * add up even so, something is wrong, and is named (`naming.ts`).
 *
 * In flight there may be more than order knows, but never less: what it calls paid was charged and taken before. So a checkout of
 * which less is there is wrong whatever the sums are; with a refund it is the other way round, for it was granted before the others
 * do their part. An order that is contradicted is wrong as well, until a person has resolved it.
 *
 * A request that comes while an audit is under way shares it.
 */
import type { Auditor, Count, Cut } from '../../shared/audit/auditor.ts'
import { single } from '../../shared/contract/events.ts'
import type { Mismatch } from '../../shared/contract/queries.ts'
import { PARTICIPANTS } from '../../shared/contract/services.ts'
import { PeerError, UnavailableError } from '../../shared/errors.ts'
import type { Peer, Requester } from '../../shared/http/client.ts'
import type { AnswerTo } from '../../shared/http/route.ts'
import { compareIds, type LogEntry } from '../../shared/log/entry.ts'
import type { Log } from '../../shared/log/log.ts'
import type { api } from '../api.ts'
import type { Audited } from '../metrics.ts'
import type { Order } from '../order.ts'
import { type Counted, type PeerCut, paidBy, paymentAsked, Refused, stockAsked } from './audited-peers.ts'
import { type AuditedPeers, NAMED_MAX, namesOf } from './naming.ts'
import { type Orders, paidOnes, showing, shownByLedger, spentBy, surplus, type Totals, totals } from './totals.ts'

type Answer = AnswerTo<typeof api.audit>
export type Audit = (requester: Requester) => Promise<Answer>

export type AuditOptions = {
  readonly log: Log
  readonly auditor: Auditor
  readonly peers: Readonly<Record<'payment' | 'stock', Peer>>
  readonly find: (order: string) => Promise<Order | undefined>
  /** Orders that are contradicted and wait for a person. */
  readonly contradictions: () => Promise<readonly string[]>
  /** Called with each audit that was made. */
  readonly onAudited?: (audit: Audited) => void
}

const PAGE = 1_000
/** The most checkouts in flight that are looked at one by one. */
const IN_FLIGHT_MAX = 20_000

type Cuts = { readonly order: Cut; readonly payment: PeerCut; readonly stock: PeerCut }
/** A checkout that may still move, and what the peers had done of it, less what order's ledger had of it already. */
type Moving = {
  readonly id: string
  readonly order: string
  readonly isRefund: boolean
  readonly credit: bigint
  readonly stock: bigint
}

const sumsInText = <Names>(
  { added, left, spent, accepted, inFlight, writtenOff }: Totals,
  named: (left: string, spent: string, writtenOff: string) => Names,
) => ({
  added: String(added),
  ...named(String(left), String(spent), String(writtenOff)),
  accepted: String(accepted),
  in_flight: String(inFlight),
})

type Counts = { readonly payment: Counted; readonly stock: Counted }
type AllTotals = Readonly<Record<'credit' | 'stock', Totals>>

const cutAll = async (auditor: Auditor, { payment, stock }: AuditedPeers): Promise<Cuts> => {
  // Order first: what it had decided then, the others had done before.
  const order = await auditor.cut()
  // Then payment: of a refund that is finished there, stock has done its part before.
  const ofPayment = await payment.cut()
  return { order, payment: ofPayment, stock: await stock.cut() }
}

const assertCutLater = ({ payment, stock }: Counts, cuts: Cuts): void => {
  for (const [counted, cut] of [[payment, cuts.payment] as const, [stock, cuts.stock] as const])
    if (compareIds(cut.at, counted.at) < 0) throw new UnavailableError('a Redis came back older during the audit')
}

const flight = async (
  auditor: Auditor,
  { payment, stock }: AuditedPeers,
  cuts: Cuts,
  ids: readonly string[],
): Promise<Moving[]> => {
  if (ids.length > IN_FLIGHT_MAX) throw new UnavailableError(`${ids.length} checkouts are in flight, too many to audit`)
  const [captured, taken, lastEntries, records] = await Promise.all([
    payment.done(cuts.payment.at, ids),
    stock.done(cuts.stock.at, ids),
    auditor.sagasAt(cuts.order.at, ids),
    auditor.records(ids),
  ])
  const recorded = new Map(records.map(({ log_id, fields }) => [log_id, fields]))
  const done = paidBy(lastEntries, recorded)
  return ids.map((id) => {
    const { paid = 0n, sold = 0n } = done.get(id) ?? {}
    const [charged, gone] = [captured.get(id) ?? 0n, taken.get(id) ?? 0n]
    return {
      id,
      order: recorded.get(id)?.order ?? '',
      isRefund: [paid, sold, charged, gone].some((one) => one < 0n),
      credit: charged - paid,
      stock: gone - sold,
    }
  })
}

const totalsOf = (counts: Counts, cuts: Cuts, moving: readonly Moving[]): AllTotals => {
  const { ledger } = cuts.order
  return {
    credit: totals(
      counts.payment,
      cuts.payment,
      spentBy(ledger, 'paid'),
      moving.map(({ credit }) => credit),
    ),
    stock: totals(
      counts.stock,
      cuts.stock,
      spentBy(ledger, 'sold'),
      moving.map(({ stock }) => stock),
    ),
  }
}

const isBalanced = ({ credit, stock }: AllTotals): boolean => surplus(credit) === 0n && surplus(stock) === 0n

const run = async (options: AuditOptions, audited: AuditedPeers): Promise<Answer> => {
  const { log, auditor, find, contradictions, onAudited = () => undefined } = options
  const [payment, stock, orders, contradicted] = await Promise.all([
    audited.payment.count(),
    audited.stock.count(),
    auditor.count(),
    contradictions(),
  ])
  const counts = { payment, stock }
  const cuts = await cutAll(auditor, audited)
  assertCutLater(counts, cuts)

  const after = await checkoutsAfter(cuts.order.at, log.page)
  const open = new Set([...cuts.order.open, ...cuts.payment.open, ...after])
  let moving = await flight(auditor, audited, cuts, [...open])
  let sums = totalsOf(counts, cuts, moving)
  if (!isBalanced(sums)) {
    for (const id of await unapplied(log, audited, cuts)) open.add(id)
    moving = await flight(auditor, audited, cuts, [...open])
    sums = totalsOf(counts, cuts, moving)
  }
  const shown = showing(orders.balances)
  const wrong = isBalanced(sums) ? [] : await namesOf({ auditor, audited, find, open, paid: paidOnes(orders.balances) })
  const mismatches = [
    ...unequal('credit', sums.credit, 'in wallets', 'paid'),
    ...unequal('stock', sums.stock, 'on the shelf', 'sold'),
    ...payment.mismatches,
    ...stock.mismatches,
    ...misshown(orders, shown),
    ...moving
      .filter(({ isRefund, credit, stock }) => !isRefund && (credit < 0n || stock < 0n))
      .map(short)
      .slice(0, NAMED_MAX),
    ...contradicting(contradicted),
    ...wrong,
  ]
  const audit = {
    balanced: mismatches.length === 0,
    credit: sumsInText(sums.credit, (wallets, paid) => ({ wallets, paid })),
    stock: sumsInText(sums.stock, (shelf, sold, written_off) => ({ shelf, sold, written_off })),
  }
  onAudited(audit)
  return {
    json: {
      ...audit,
      ...(payment.documents && { documents: payment.documents }),
      in_flight: moving.length,
      cut: { order: cuts.order.at, payment: cuts.payment.at, stock: cuts.stock.at },
      mismatches,
    },
  }
}

const answered = async (options: AuditOptions, requester: Requester): Promise<Answer> => {
  const { payment, stock } = options.peers
  try {
    return await run(options, { payment: paymentAsked(payment, requester), stock: stockAsked(stock, requester) })
  } catch (error) {
    if (error instanceof Refused) return { problem: error.problem }
    if (error instanceof PeerError) throw new UnavailableError(error.message, { cause: error.cause })
    throw error
  }
}

export const audits = (options: AuditOptions): Audit => {
  let running: Promise<Answer> | undefined

  return (requester) => {
    running ??= answered(options, requester).finally(() => {
      running = undefined
    })
    return running
  }
}

const OF_NO_SAGA: ReadonlySet<string> = new Set(Object.values(single).flat())

/** The checkouts of which something was emitted after an entry; of certain kinds only, if they are given. */
const checkoutsAfter = async (
  after: string,
  read: (after: string, limit: number) => Promise<readonly LogEntry[]>,
  kinds?: readonly string[],
): Promise<ReadonlySet<string>> => {
  const ids = new Set<string>()
  for (let from = after, more = true; more; ) {
    const page = await read(from, PAGE)
    // An entry that bears an order is one of a checkout, unless it is complete in itself.
    for (const { kind, log_id, facts } of page)
      if (facts.order !== undefined && !OF_NO_SAGA.has(kind))
        if (kinds === undefined || kinds.includes(kind)) ids.add(log_id)
    if (ids.size > IN_FLIGHT_MAX)
      throw new UnavailableError('a service applies again what it had lost: too much to audit')
    from = page.at(-1)?.id ?? from
    more = page.length === PAGE
  }
  return ids
}

/** The checkouts of which one of the three had still to apply, in the cut, an entry that it handles. */
const unapplied = async (log: Log, { payment, stock }: AuditedPeers, cuts: Cuts): Promise<readonly string[]> => {
  const pageOf = { order: log.page, payment: payment.page, stock: stock.page }
  const ids = await Promise.all(
    [cuts.order, cuts.payment, cuts.stock].flatMap(({ heard, hears }) =>
      PARTICIPANTS.map((publisher) => {
        const after = heard[publisher]
        return after === undefined ? [] : checkoutsAfter(after, pageOf[publisher], hears[publisher])
      }),
    ),
  )
  return ids.flatMap((one) => [...one])
}

const unequal = (what: string, sums: Totals, left: string, spent: string): Mismatch[] => {
  const more = surplus(sums)
  if (more === 0n) return []
  const { added, accepted, inFlight, writtenOff } = sums
  const lost = writtenOff === 0n ? '' : `, ${writtenOff} written off`
  const verdict = more > 0n ? `${more} too much` : `${-more} is missing`
  const detail = `${added} was added, but ${sums.left} is ${left}, ${sums.spent} ${spent}${accepted === 0n ? '' : ` (${accepted} of it accepted)`}${lost} and ${inFlight} in flight: ${verdict}`
  return [{ what, detail, orders: [] }]
}

/** Less was done of a checkout than order calls paid. */
const short = ({ id, order, credit, stock }: Moving): Mismatch => ({
  what: 'in flight',
  detail: `checkout ${id}: ${credit} of its money and ${stock} of its goods are in flight, more than was paid of it is gone`,
  orders: order === '' ? [] : [order],
})

const contradicting = (orders: readonly string[]): Mismatch[] => {
  if (orders.length === 0) return []
  const detail = `${orders.length} are not what was decided of them; npm run saga -- list names them, resolve ends it`
  return [{ what: 'contradictions', detail, orders: orders.slice(0, NAMED_MAX) }]
}

/** What orders show must be what the ledger says, and every paid one must have been paid by its checkout. */
const misshown = ({ ledger }: Count, shown: Orders): Mismatch[] => {
  const expected = shownByLedger(ledger)
  const unequal = (['paid', 'sold'] as const).filter((name) => shown[name] !== expected[name])
  if (unequal.length === 0 && !shown.inconsistent) return []
  const sums = unequal.map((name) => `${shown[name]} is ${name} by all orders, and ${expected[name]} by the ledger`)
  const inconsistent = shown.inconsistent
    ? [`${shown.inconsistentOnes.length} show what their checkout does not say`]
    : []
  return [
    {
      what: 'orders',
      detail: [...sums, ...inconsistent].join('; '),
      orders: shown.inconsistentOnes.slice(0, NAMED_MAX),
    },
  ]
}
