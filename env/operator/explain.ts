/**
 * What happened to a checkout, how does it stand, and what comes next?
 *
 * `gather` reads the logs of the four services and merges them into one timeline; it asks each how the saga stands there,
 * and for its dead letters. A service that does not answer is told as such, and the others are shown without it. `inWords`
 * makes text of it for people. Both know the saga only by what the services say; nothing is concluded here.
 */
import { styleText } from 'node:util'
import { IDENTIFIER_FORM, isIdentifier } from '../../shared/contract/dictionary.ts'
import { field, type Kind } from '../../shared/contract/events.ts'
import type { DeadLetter } from '../../shared/log/dead-letters.ts'
import type { LogEntry } from '../../shared/log/entry.ts'
import type { SagaStatus } from '../../shared/saga/status.ts'
import { SERVICES, type Service } from '../wiring.ts'
import { type Answer, type Ask, isUnknown, ShopError, sentenceOf } from './ask-shop.ts'

/** The first part of each service's routes. */
export const PREFIXES: Record<Service, string> = { ids: 'ids', order: 'orders', payment: 'payment', stock: 'stock' }

export type Said = LogEntry & { readonly service: Service }

/** A dead letter with the name by which it is retried. */
export type Letter = Omit<DeadLetter, 'fields'> & {
  readonly name: string
  readonly kind: string
  readonly log_id: string
}

/** How a saga stands in a service; `unknown` if nothing is known of it there, `away` if that does not answer. */
export type View =
  | { readonly service: Service; readonly is: 'known'; readonly standing: SagaStatus }
  | { readonly service: Service; readonly is: 'unknown' }
  | { readonly service: Service; readonly is: 'away'; readonly why: string }

export type Explanation = {
  readonly order_id: string | null
  /** What the order service shows of the order. */
  readonly order: { readonly status: string; readonly user_id: string; readonly total_cost: number } | null
  readonly log_id: string | null
  /** All checkouts of the order that are still recorded, the last one first. */
  readonly log_ids: readonly string[]
  readonly timeline: readonly Said[]
  readonly views: readonly View[]
  readonly dead_letters: readonly Letter[]
}

/** Which checkout is meant: the last one of an order, or the one of a log id. */
export type Subject = Pick<Explanation, 'order_id' | 'log_id' | 'log_ids'>

const PAGE = 1_000
/** More dead letters than this are not looked through. */
const LETTERS_MAX = 20_000

const isAway = ({ status }: Answer): boolean => status >= 500

const wanted = <Body>(service: Service, answer: Answer): Body => {
  if (answer.status === 200) return answer.body as Body
  throw new ShopError(`${service} ${isAway(answer) ? 'does not answer' : 'refuses'} (${sentenceOf(answer)})`)
}

/** Finds what is meant by an id that may be an order's or a checkout's. @throws ShopError if it is neither. */
export const findSubject = async (ask: Ask, id: string): Promise<Subject> => {
  if (!isIdentifier(id)) throw new ShopError(`"${id}" is neither an order nor a log id: ${IDENTIFIER_FORM}`)
  const answer = await ask('GET', `/orders/checkouts/${id}`)
  if (!isUnknown(answer)) {
    const { log_ids } = wanted<{ log_ids: readonly string[] }>('order', answer)
    return { order_id: id, log_id: log_ids[0] ?? null, log_ids }
  }
  for (const { service, ...view } of await viewsOf(ask, id))
    if (view.is === 'known') {
      const { order } = view.standing.recorded
      const others = order === undefined ? undefined : await ask('GET', `/orders/checkouts/${order}`)
      const log_ids = others?.status === 200 ? (others.body as { log_ids: readonly string[] }).log_ids : [id]
      return { order_id: order ?? null, log_id: id, log_ids }
    }
  throw new ShopError(`there is no order and no checkout "${id}"`)
}

export const viewsOf = (ask: Ask, logId: string): Promise<readonly View[]> =>
  Promise.all(
    SERVICES.map(async (service): Promise<View> => {
      const answer = await ask('GET', `/${PREFIXES[service]}/saga/${logId}`)
      if (isUnknown(answer)) return { service, is: 'unknown' }
      if (answer.status !== 200) return { service, is: 'away', why: sentenceOf(answer) }
      return { service, is: 'known', standing: answer.body as SagaStatus }
    }),
  )

const saidBy = async (ask: Ask, service: Service, logId: string): Promise<readonly Said[]> => {
  const answer = await ask('GET', `/${PREFIXES[service]}/log/${logId}`)
  if (answer.status !== 200) return []
  return (answer.body as { logs: readonly LogEntry[] }).logs.map((entry) => ({ ...entry, service }))
}

/** In which order things are said that were said in the same millisecond: that in which one follows from the other. */
const SEQUENCE: readonly string[] = [
  'CheckoutStarted',
  'CreditHeld',
  'CreditRefused',
  'StockTaken',
  'StockRefused',
  'CreditCaptured',
  'CreditVoided',
  'OrderPaid',
  'CheckoutFailed',
  'CheckoutCancelled',
  'CreditReleased',
  'StockReturned',
  'CheckoutClosed',
  'CheckoutContradicted',
  'CheckoutResolved',
  'CheckoutsSurveyed',
  'CreditsSurveyed',
  'GoodsSurveyed',
  'SurveyEnded',
] satisfies Kind[]

const isBefore = (a: Said, b: Said): boolean =>
  a.at === b.at ? SEQUENCE.indexOf(a.kind) < SEQUENCE.indexOf(b.kind) : a.at < b.at

/** One timeline of several logs, each of which keeps its order: the clocks of their Redis may differ. */
export const merge = (logs: readonly (readonly Said[])[]): readonly Said[] => {
  const rest = logs.map((log) => [...log])
  const timeline: Said[] = []
  for (;;) {
    const [first, ...others] = rest.filter((log) => log.length > 0)
    if (first === undefined) return timeline
    const next = others.reduce((least, log) => (isBefore(log[0] as Said, least[0] as Said) ? log : least), first)
    timeline.push(next.shift() as Said)
  }
}

/** Does it wait for a person still? */
export const isUnresolved = ({ applied, dismissed }: Letter): boolean => !applied && !dismissed

/** The dead letters of a service. @throws ShopError if it does not answer. */
export const lettersOf = async (ask: Ask, service: Service): Promise<readonly Letter[]> => {
  const letters: Letter[] = []
  for (let after: string | null = '0-0'; after !== null && letters.length < LETTERS_MAX; ) {
    const page: { letters: readonly DeadLetter[]; next: string | null } = wanted(
      service,
      await ask('GET', `/${PREFIXES[service]}/dead_letters?after=${after}&limit=${PAGE}`),
    )
    for (const { fields, ...letter } of page.letters)
      letters.push({
        name: `${service}:${letter.id}`,
        kind: field([letter.entry, fields], 'kind') ?? '',
        log_id: field([letter.entry, fields], 'log_id') ?? '',
        ...letter,
      })
    after = page.next
  }
  return letters
}

export const gather = async (ask: Ask, subject: Subject): Promise<Explanation> => {
  const { order_id, log_id } = subject
  const found = order_id === null ? undefined : await ask('GET', `/orders/find/${order_id}`)
  const order = found?.status === 200 ? (found.body as Explanation['order']) : null
  if (log_id === null) return { ...subject, order, timeline: [], views: [], dead_letters: [] }
  const views = await viewsOf(ask, log_id)
  const present = views.filter(({ is }) => is !== 'away').map(({ service }) => service)
  const [logs, letters] = await Promise.all([
    Promise.all(present.map((service) => saidBy(ask, service, log_id))),
    Promise.all(present.map((service) => lettersOf(ask, service))),
  ])
  const dead_letters = letters.flat().filter((letter) => letter.log_id === log_id && isUnresolved(letter))
  return { ...subject, order, timeline: merge(logs), views, dead_letters }
}

/** The time of day to the millisecond, as in the logs: UTC. */
export const clock = (iso: string): string => iso.slice(11, 23)
const toSecond = (iso: string): string => iso.slice(11, 19)
const day = (iso: string): string => iso.slice(0, 10)

/** A reason as it was given: in an entry it has no blanks. */
const plain = (why: string): string => {
  try {
    return decodeURIComponent(why)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    return why
  }
}

const factInWords = (name: string, value: string): string => {
  if (name === 'deadline') return `deadline=${clock(new Date(Number(value)).toISOString())}`
  return name === 'why' ? `why="${plain(value)}"` : `${name}=${value}`
}

/** Facts that the heading tells. */
const TOLD_ABOVE = new Set(['order', 'user', 'total'])
const factsInWords = (facts: Readonly<Record<string, string>>): string =>
  Object.entries(facts)
    .filter(([name, value]) => !TOLD_ABOVE.has(name) && value !== '')
    .map(([name, value]) => factInWords(name, value))
    .join(' ')

/** Rows of equally wide columns; the last one is as long as it is. */
export const columns = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

const REPAIRS: Readonly<Record<string, string>> = {
  'tell-again': 'say it again',
  cancel: 'cancel it',
  drop: 'take it out of the index of unfinished ones',
}

const unheardBy = ({ heard }: SagaStatus): string =>
  Object.entries(heard)
    .filter(([, hasHeard]) => !hasHeard)
    .map(([listener]) => listener)
    .join(' and ')

/** By what a checkout is contradicted, and how that is resolved. */
export const contradictionInWords = (by: string, order: string): string => {
  const what = by.startsWith('told-')
    ? `somebody was told that it is ${by.slice('told-'.length)}`
    : `payment says ${by}`
  return `contradicted (${by === '' ? 'by what, is not recorded' : what}): npm run saga -- resolve ${order} --refund, or --accept "why"`
}

export const nextInWords = (status: SagaStatus): string => {
  const { contradicted, resolved, order = 'ORDER' } = status.recorded
  if (contradicted !== undefined && resolved === undefined) return contradictionInWords(contradicted, order)
  if (!status.unfinished && resolved !== undefined)
    return `it was contradicted, and resolved: ${resolved}; nothing more is to be done here`
  if (!status.unfinished) return 'nothing more is to be done here'
  const unheard = unheardBy(status)
  const waits =
    unheard === '' ? 'waits for an answer' : `waits until ${unheard} ${unheard.includes(' ') ? 'have' : 'has'} heard it`
  const { next } = status
  if (next === null) return `the log parser ${waits}`
  const does = `the log parser will ${REPAIRS[next.repair] ?? next.repair} at its run at ${toSecond(next.at)}`
  return status.finding?.repair === 'wait' ? `${waits}; if nothing comes, ${does}` : does
}

const stateInWords = ({ state, since, recorded }: SagaStatus): string => {
  const reason = recorded.reason ? ` (${recorded.reason}${recorded.item ? ` of ${recorded.item}` : ''})` : ''
  return `${state}${reason}${since === null ? '' : ` since ${clock(since)}`}`
}

const viewInWords = (view: View): readonly [string, string] => {
  switch (view.is) {
    case 'known':
      return [view.service, `${stateInWords(view.standing)}: ${nextInWords(view.standing)}`]
    case 'unknown':
      return [view.service, 'knows nothing of it']
    case 'away':
      return [view.service, styleText('red', `does not answer (${view.why})`)]
  }
}

const headingOf = ({ order_id, order, log_id, log_ids }: Explanation): string => {
  const whose = order
    ? `order ${order_id} of user ${order.user_id}, ${order.total_cost} in all, is ${order.status}`
    : ''
  if (log_id === null) return `${whose}; it was not checked out, or so long ago that it is forgotten`
  const others = log_ids.filter((id) => id !== log_id)
  const which = `checkout ${log_id}${others.length > 0 ? `; others of this order: ${others.join(' ')}` : ''}`
  return whose === '' ? which : `${whose}; ${which}`
}

const lettersInWords = (letters: readonly Letter[]): readonly string[] =>
  letters.map(
    ({ name, kind, error }) =>
      `dead letter ${name}: ${kind} (${error}); npm run dead -- retry ${name} once that is mended`,
  )

/** The explanation as lines of text. */
export const inWords = (explanation: Explanation): readonly string[] => {
  const { timeline, views, dead_letters } = explanation
  const heading = headingOf(explanation)
  const rows = timeline.map(({ at, service, kind, facts }) => [clock(at), service, kind, factsInWords(facts)])
  const [first] = timeline
  return [
    styleText('bold', `${heading.charAt(0).toUpperCase()}${heading.slice(1)}`),
    ...(first ? ['', styleText('dim', `${day(first.at)} UTC`), ...columns(rows)] : []),
    ...(views.length > 0 ? ['', ...columns(views.map(viewInWords))] : []),
    ...(dead_letters.length > 0 ? ['', ...lettersInWords(dead_letters)] : []),
  ]
}
