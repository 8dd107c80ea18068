/**
 * Are refunds whole, and do their orders show them?
 *
 * A refund that order has granted was paid by payment and its goods were taken back by stock, each once and alike; and an order
 * shows neither more nor less than what was granted of it.
 */

import { parseLines } from '../../../shared/contract/lines.ts'
import { PARTICIPANTS, type Participant } from '../../../shared/contract/services.ts'
import { compareIds, type LogEntry } from '../../../shared/log/entry.ts'
import type { Anomaly } from './anomaly.ts'

type Fields = Readonly<Record<string, string>>
type Sagas = Readonly<Record<Participant, ReadonlyMap<string, Fields>>>

/** The states of refunds in each service. */
const STATES: Readonly<Record<Participant, readonly string[]>> = {
  order: ['granted', 'settled'],
  payment: ['refunded', 'concluded'],
  stock: ['restocked', 'written-off'],
}

/** The records of refunds in a service, or of those in some states. */
export const refundsIn = (
  sagas: ReadonlyMap<string, Fields>,
  participant: Participant,
  states = STATES[participant],
): readonly Fields[] => [...sagas.values()].filter(({ state = '' }) => states.includes(state))

const isRefund = (sagas: Sagas, id: string): boolean =>
  PARTICIPANTS.some((participant) => STATES[participant].includes(sagas[participant].get(id)?.state ?? ''))

/** Of all that is recorded, the log ids of checkouts, and of refunds. */
export const idsOf = (sagas: Sagas): { readonly checkouts: readonly string[]; readonly refunds: readonly string[] } => {
  const ids = new Set(PARTICIPANTS.flatMap((participant) => [...sagas[participant].keys()]))
  const { refunds = [], checkouts = [] } = Object.groupBy(ids, (id) => (isRefund(sagas, id) ? 'refunds' : 'checkouts'))
  return { checkouts, refunds }
}

const ENDS: Readonly<Record<string, string>> = { shelf: 'restocked', none: 'written-off' }

const halves = (sagas: Sagas): Anomaly[] =>
  idsOf(sagas).refunds.flatMap((id) => {
    const [ours, payment, stock] = [sagas.order.get(id), sagas.payment.get(id), sagas.stock.get(id)]
    const about = `order:${ours?.order ?? payment?.order ?? stock?.order}`
    const states = `${ours?.state} ${payment?.state} ${stock?.state}`
    if (states !== `settled concluded ${ENDS[ours?.restock ?? '']}`)
      return [{ name: 'half-a-refund', about, says: `${id} is ${states}` }]
    const said = [ours, payment, stock].map((one) => `${one?.total} to ${one?.user} for ${one?.lines}`)
    return new Set(said).size === 1 ? [] : [{ name: 'half-a-refund', about, says: `${id} is ${said.join('; ')}` }]
  })

const piecesOf = (lines: string | undefined): Map<string, bigint> =>
  new Map(parseLines(lines ?? '').map(([item, quantity]) => [item, BigInt(quantity)]))

/** Where in order's log each order was made anew last. */
const madeAnew = (log: readonly LogEntry[]): ReadonlyMap<string, string> => {
  const made = new Map<string, string>()
  for (const { id, kind, facts } of log)
    if (kind === 'OrdersInitialised')
      for (let order = Number(facts.first); order <= Number(facts.last); order += 1) made.set(String(order), id)
  return made
}

/** What an order shows is the sum of its refunds since it was made, but for those of amendments, and all of it in the end. */
const misshown = (sagas: Sagas, orders: ReadonlyMap<string, Fields>, log: readonly LogEntry[]): Anomaly[] => {
  const made = madeAnew(log)
  const isOfToday = ({ order = '', entries = '' }: Fields): boolean =>
    compareIds(entries.split(' ')[0] || '0-0', made.get(order) ?? '0-0') >= 0
  const refunds = Map.groupBy(
    refundsIn(sagas.order, 'order')
      .filter(isOfToday)
      .filter(({ amends }) => amends === undefined),
    ({ order = '' }) => order,
  )
  return [...orders].flatMap(([id, { total = '0', lines, returned, refunded = '0' }]) => {
    let money = 0n
    const back = new Map<string, bigint>()
    for (const refund of refunds.get(id) ?? []) {
      money += BigInt(refund.total ?? '0')
      for (const [item, pieces] of piecesOf(refund.lines)) back.set(item, (back.get(item) ?? 0n) + pieces)
    }
    const [shown, wanted] = [piecesOf(returned), piecesOf(lines)]
    // An order over a value has no lines.
    const isAll = wanted.size > 0 && [...wanted].every(([item, pieces]) => back.get(item) === pieces)
    const isShown = [...wanted.keys(), ...back.keys()].every((item) => shown.get(item) === back.get(item))
    const isLeft = [...back].every(([item, pieces]) => pieces <= (wanted.get(item) ?? 0n))
    const isPaid = money === BigInt(refunded) && money <= BigInt(total) && (!isAll || money === BigInt(total))
    if (isShown && isLeft && isPaid) return []
    const says = `${refunded} for ${returned ?? 'nothing'} of ${total} for ${lines}; refunds say ${money} for ${JSON.stringify([...back].map(String))}`
    return [{ name: 'half-a-refund', about: `order:${id}`, says }]
  })
}

/** Refunds that are not whole, and orders that show others than there were. */
export const brokenRefunds = (
  sagas: Sagas,
  orders: ReadonlyMap<string, Fields>,
  log: readonly LogEntry[],
): Anomaly[] => [...halves(sagas), ...misshown(sagas, orders, log)]
