/**
 * What happened to an order or to one of its sagas, how does it stand, and what comes next?
 *
 * `gather` reads the logs of the four services and merges them into one timeline; it asks each how the sagas stand there,
 * and for its dead letters. A service that does not answer is told as such, and the others are shown without it. All is known
 * only by what the services say; nothing is concluded here.
 */

import { IDENTIFIER_FORM, isIdentifier } from '../../shared/contract/dictionary.ts'
import { field } from '../../shared/contract/raw-entry.ts'
import { PREFIXES, SERVICES, type Service } from '../../shared/contract/services.ts'
import { type DeadLetter, endLogId } from '../../shared/log/dead-letters.ts'
import type { SagaStatus } from '../../shared/saga/status.ts'
import { type Ask, isUnknown, ShopError, sentenceOf, UnknownError, wanted } from './ask-shop.ts'
import { changesOf, type Gap, type Said, timelineOf } from './timeline.ts'

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

/** What is shown of an order, as far as it is told here. */
type Order = {
  readonly status: string
  readonly user_id: string
  readonly total_cost: number
  readonly created_at: string | null
  readonly updated_at: string | null
}

/** What is meant: an order with all its sagas, or one of these. */
export type Subject = {
  readonly is: 'order' | 'saga'
  readonly order_id: string | null
  /** The last checkout of the order, or the saga that was named. */
  readonly log_id: string | null
  /** All checkouts of the order that are still recorded, the last one first. */
  readonly log_ids: readonly string[]
}

export type Explanation = Subject & {
  /** What the order service shows of the order. */
  readonly order: Order | null
  readonly refund_ids: readonly string[]
  readonly timeline: readonly Said[]
  /** A stretch of the log of order that was not looked through. */
  readonly gap: Gap | null
  /** How the saga `log_id` stands. */
  readonly views: readonly View[]
  /** The same of those others of the order that are not finished. */
  readonly others: readonly { readonly log_id: string; readonly views: readonly View[] }[]
  readonly dead_letters: readonly Letter[]
}

const PAGE = 1_000
/** More dead letters than this are not looked through. */
const LETTERS_MAX = 20_000

/**
 * Finds what is meant by an id that may be an order's or a checkout's.
 * @throws UnknownError if it is neither; ShopError if that cannot be told
 */
export const findSubject = async (ask: Ask, id: string): Promise<Subject> => {
  if (!isIdentifier(id)) throw new ShopError(`"${id}" is neither an order nor a log id: ${IDENTIFIER_FORM}`)
  const answer = await ask('GET', `/orders/checkouts/${id}`)
  if (!isUnknown(answer)) {
    const { log_ids } = wanted<{ log_ids: readonly string[] }>('order', answer)
    return { is: 'order', order_id: id, log_id: log_ids[0] ?? null, log_ids }
  }
  const views = await viewsOf(ask, id)
  for (const { service, ...view } of views)
    if (view.is === 'known') {
      const { order } = view.standing.recorded
      const others = order === undefined ? undefined : await ask('GET', `/orders/checkouts/${order}`)
      const log_ids = others?.status === 200 ? (others.body as { log_ids: readonly string[] }).log_ids : [id]
      return { is: 'saga', order_id: order ?? null, log_id: id, log_ids }
    }
  const away = views.filter((view) => view.is === 'away').map(({ service }) => service)
  if (away.length > 0)
    throw new ShopError(`there is no order "${id}"; whether a checkout, ${away.join(' and ')} cannot tell now`)
  throw new UnknownError(`there is no order and no checkout "${id}"`)
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

const refundsOf = async (ask: Ask, order: string): Promise<readonly string[]> => {
  const answer = await ask('GET', `/orders/${order}/refunds`)
  if (answer.status !== 200) return []
  return (answer.body as { refunds: readonly { readonly refund_id: string }[] }).refunds.map(
    ({ refund_id }) => refund_id,
  )
}

/** What there is to be shown of the order that is meant, if there is one. */
const orderOf = async (ask: Ask, { is, order_id, log_id }: Subject, readsAll: boolean) => {
  const found = order_id === null ? undefined : await ask('GET', `/orders/${order_id}`)
  const order = found?.status === 200 ? (found.body as Order) : null
  const refund_ids = order_id === null ? [] : await refundsOf(ask, order_id)
  const changed =
    is === 'order' && order_id !== null && order ? await changesOf(ask, order_id, order, readsAll) : undefined
  const named = log_id === null ? [] : [log_id]
  return { order, refund_ids, ...(changed ?? { changes: [], logIds: [], gap: null }), named }
}

const isUnfinished = (view: View): boolean =>
  view.is === 'known' &&
  (view.standing.unfinished ||
    (view.standing.recorded.contradicted !== undefined && view.standing.recorded.resolved === undefined))

/** @param readsAll look through the whole log of order for what was done with the order, however long that is */
export const gather = async (ask: Ask, subject: Subject, readsAll = false): Promise<Explanation> => {
  const { is, log_id, log_ids } = subject
  const { order, refund_ids, changes, logIds, gap, named } = await orderOf(ask, subject, readsAll)
  const sagas = is === 'saga' ? named : [...new Set([...named, ...log_ids, ...refund_ids])]
  const all = [...new Set([...sagas, ...logIds])]
  const [views, ...others] = await Promise.all(
    [log_id, ...sagas.filter((id) => id !== log_id)].map(async (id) => ({
      log_id: id ?? '',
      views: id === null ? [] : await viewsOf(ask, id),
    })),
  )
  const present = SERVICES.filter(
    (service) => !views?.views.some((view) => view.service === service && view.is === 'away'),
  )
  const listed = all.length === 0 ? [] : await Promise.all(present.map((service) => lettersOf(ask, service)))
  const letters = listed.flat().filter((letter) => all.includes(letter.log_id))
  const ended = letters.filter((letter) => !isUnresolved(letter)).map(({ id }) => endLogId(id))
  const timeline = await timelineOf(ask, present, [...all, ...ended], changes)
  return {
    ...subject,
    order,
    refund_ids,
    timeline,
    gap,
    views: views?.views ?? [],
    others: others.filter((one) => one.views.some(isUnfinished)),
    dead_letters: letters.filter(isUnresolved),
  }
}
