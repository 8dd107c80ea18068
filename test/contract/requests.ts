/**
 * Which requests are shown to a stranger, in which order, and with which values?
 *
 * First a *visit*: each request follows from those before, and succeeds. Then whatever else the shop can be asked, by services. Each
 * row is asked once. Values in braces are variables, which the answers before have filled.
 */
import { type NamedRow, ROWS } from '../support/rows.ts'
import { idOf, wantsKey } from './document.ts'
import { type Example, type Kept, OTHERS, type Values, VISIT } from './examples.ts'
import { parameterOf } from './schemas.ts'

export type ShownRequest = {
  readonly id: string
  readonly folder: string
  readonly row: NamedRow
  /** From the root, with variables in double braces. */
  readonly path: string
  readonly query: Values
  /** What else may stand in the query. */
  readonly others: readonly string[]
  readonly headers: Values
  readonly body: string | undefined
  readonly keeps: Kept
  /** With which statuses it succeeds, if it must. */
  readonly succeeds: readonly number[] | undefined
}

/** What variables are before an answer has filled them. */
export const SETTINGS = { SHOP: 'http://127.0.0.1:8000', TOKEN: 'none' } as const

const FEATURES = { ids: 'createId', order: 'findOrder', payment: 'findUser', stock: 'findItem' } as const
/** What parameters of paths are, unless an example says otherwise. */
const USUAL: Values = {
  ...{ user: '{{USER_ID}}', item: '{{ITEM_ID}}', order: '{{ORDER_ID}}', log_id: '{{LOG_ID}}', refund: '{{REFUND_ID}}' },
  webhook: '{{WEBHOOK_ID}}',
  ...{ amount: '1', quantity: '1', price: '5', n: '3', n_users: '3', n_items: '3', minutes: '5' },
  ...{ item_price: '5', starting_money: '1000', starting_stock: '1000', id: '1-0', kind: 'read-process' },
  ...{ lock: 'a-lock', lease: 'a-lease', token: '1', election: 'an-election', candidate: 'a-candidate' },
  ...{ job: 'a-job', slot: '2026-11-28T03:00:00Z', runner: 'a-runner', process: 'a-process' },
}

/** What services ask each other, no client may. */
const rows = new Map(ROWS.filter(({ scope }) => scope !== 'service').map((row) => [idOf(row), row]))

const requestOf = (id: string, example: Example, isVisit: boolean): ShownRequest => {
  const row = rows.get(id)
  if (row === undefined) throw new Error(`there is no row ${id}`)
  const { params = {}, query = {}, headers = {}, body, keeps = {} } = example
  const exampleOf = (name: string): string => {
    const value = params[name] ?? (name === 'name' ? FEATURES[row.service] : USUAL[name])
    if (value === undefined) throw new Error(`${id} has no example of ${name}`)
    return value
  }
  const fields = Object.entries(row.query ?? {})
  for (const [name, field] of fields)
    if (parameterOf(field).required && query[name] === undefined) throw new Error(`${id} has no example of ${name}`)
  if (row.body && row.body.optional !== true && body === undefined) throw new Error(`${id} has no example of a body`)
  return {
    id,
    folder: isVisit ? 'A visit' : row.scope === 'operator' ? `${row.service}, for operators` : row.service,
    row,
    path: row.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => exampleOf(name)),
    query,
    others: fields.map(([name]) => name).filter((name) => !Object.hasOwn(query, name)),
    headers: {
      Authorization: 'Bearer {{TOKEN}}',
      ...(wantsKey(row) ? { 'Idempotency-Key': '{{$guid}}' } : {}),
      ...(row.ifMatch ? { 'If-Match': '*' } : {}),
      ...(row.headers && 'user-id' in row.headers ? { 'User-Id': 'a-tenant' } : {}),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body, null, 2),
    keeps,
    succeeds: isVisit ? Object.keys(row.answers).map(Number) : undefined,
  }
}

const FOLDERS = ['order', 'payment', 'stock', 'ids'].flatMap((one) => [one, `${one}, for operators`])

/** All of them, in order. */
export const shownRequests = (): readonly ShownRequest[] => {
  const visit = Object.entries(VISIT).map(([id, example]) => requestOf(id, example, true))
  const others = [...rows.keys()]
    .filter((id) => !Object.hasOwn(VISIT, id))
    .map((id) => requestOf(id, OTHERS[id] ?? {}, false))
  return [...visit, ...FOLDERS.flatMap((one) => others.filter(({ folder }) => folder === one))]
}
