/**
 * Has every order that is to have a draft of its invoice one, of the order as it is?
 *
 * Those are to have one that were placed whole, or changed (`billed` says since which version), until they are paid. What is drafted of an
 * order that is paid no more, or of which order knows nothing, is void.
 */
import type { Anomaly } from './anomaly.ts'

type Fields = Readonly<Record<string, string>>

/** What `payment/drafts/lua/drafts.lua` writes of an order. */
export const draftIn = (text: string): Fields => {
  const [state = '', version = '', at = '', log_id = '', user = '', total = '', lines = ''] = text.split(' ')
  return { state, version, at, log_id, user, total, lines }
}

const OVER: readonly (string | undefined)[] = ['cancelled', 'expired']

/** What the draft of an order is to be, in words, and what it is. */
const wantedOf = ({ status, billed = '', user, total, lines }: Fields): string =>
  status === 'open' ? `draft ${billed} ${user} ${total} ${lines}` : OVER.includes(status) ? 'void' : 'none'
const foundOf = ({ state, version, user, total, lines }: Fields): string =>
  state === 'void' ? 'void' : `${state} ${version} ${user} ${total} ${lines}`

export const brokenDrafts = (drafts: ReadonlyMap<string, Fields>, orders: ReadonlyMap<string, Fields>): Anomaly[] => {
  const misdrafted = (order: string, says: string): Anomaly => ({ name: 'misdrafted', about: `order:${order}`, says })
  const found: Anomaly[] = []
  for (const [order, fields] of orders) {
    const { billed, status, total, draft: noted } = fields
    if (billed === undefined) continue
    const draft = drafts.get(order)
    const [wanted, is] = [wantedOf(fields), draft ? foundOf(draft) : 'none']
    // One that was cancelled after it was paid has an invoice instead.
    if (is !== wanted && !(wanted === 'void' && is === 'none')) found.push(misdrafted(order, `${is}, not ${wanted}`))
    if (status === 'open' && noted !== `${billed}:${total}`)
      found.push(misdrafted(order, `it shows ${noted} where it is ${billed}:${total}`))
  }
  for (const [order, { state }] of drafts)
    if (state !== 'void' && orders.get(order)?.billed === undefined)
      found.push(misdrafted(order, `${state} of an order that has none`))
  return found
}
