/** How is an explanation told to people? */
import { styleText } from 'node:util'
import type { SagaStatus } from '../../shared/saga/status.ts'
import type { Explanation, Letter, View } from './explain.ts'
import type { Gap, Said } from './timeline.ts'

/** The time of day to the millisecond, as in the logs: UTC. */
export const clock = (iso: string): string => iso.slice(11, 23)
const toSecond = (iso: string): string => iso.slice(11, 19)
const day = (iso: string): string => iso.slice(0, 10)

/** A text of clients may hold anything, and a terminal obeys what it is shown. */
export const printable = (text: string): string => text.replaceAll(/[^\P{C} ]/gu, '?')

/** A reason, or a name, as it was given: in an entry it has no blanks. */
const plain = (why: string): string => {
  try {
    return printable(decodeURIComponent(why))
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    return why
  }
}

const factInWords = (name: string, value: string): string => {
  if (name === 'deadline') return `deadline=${clock(new Date(Number(value)).toISOString())}`
  if (name === 'done_by') return `(by ${plain(value)})`
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

const FORGOTTEN =
  'no service knows anything of it any more: what has ended is forgotten with its entries (LOG_RETENTION_HOURS)'

const viewsInWords = (views: readonly View[]): readonly string[] =>
  views.length > 0 && views.every(({ is }) => is === 'unknown') ? [FORGOTTEN] : columns(views.map(viewInWords))

const kindOfSaga = ({ refund_ids, timeline }: Explanation, id: string): string => {
  if (refund_ids.includes(id)) return 'refund'
  const amends = timeline.some(({ log_id, facts }) => log_id === id && facts.amends !== undefined)
  return amends ? 'amendment' : 'checkout'
}

const orderInWords = ({ order_id, order }: Explanation): string =>
  order ? `order ${order_id} of user ${order.user_id}, ${order.total_cost} in all, is ${order.status}` : ''

const headingOf = (explanation: Explanation): string => {
  const { log_id, log_ids, refund_ids } = explanation
  const whose = orderInWords(explanation)
  const refunds = refund_ids.filter((id) => id !== log_id)
  const refunded = refunds.length > 0 ? [`refunds: ${refunds.join(' ')}`] : []
  if (log_id === null)
    return [`${whose}; it was not checked out, or so long ago that it is forgotten`, ...refunded].join('; ')
  const others = log_ids.filter((id) => id !== log_id)
  const told = others.length > 0 ? [`others of this order: ${others.join(' ')}`] : []
  return [...(whose === '' ? [] : [whose]), `${kindOfSaga(explanation, log_id)} ${log_id}`, ...told, ...refunded].join(
    '; ',
  )
}

/** The entries as rows, below the days on which they were appended; with their log ids, if they have several. */
const timelineInWords = (timeline: readonly Said[]): readonly string[] => {
  const hasSeveral = new Set(timeline.map(({ log_id }) => log_id)).size > 1
  const rows = columns(
    timeline.map(({ at, service, kind, log_id, facts }) => [
      clock(at),
      service,
      kind,
      ...(hasSeveral ? [log_id] : []),
      factsInWords(facts),
    ]),
  )
  return timeline.flatMap(({ at }, index) => {
    const isNewDay = index === 0 || day(at) !== day(timeline[index - 1]?.at ?? '')
    return [...(isNewDay ? [styleText('dim', `${day(at)} UTC`)] : []), rows[index] ?? '']
  })
}

const gapInWords = ({ from, to }: Gap): string =>
  `What was done with the order from ${from} to ${to} besides was not looked for: --all looks through all of the log`

const lettersInWords = (letters: readonly Letter[]): readonly string[] =>
  letters.map(
    ({ name, kind, error }) =>
      `dead letter ${name}: ${kind} (${error}); npm run dead -- retry ${name} once that is mended`,
  )

/** The explanation as lines of text. */
export const inWords = (explanation: Explanation): readonly string[] => {
  const { timeline, gap, views, others, dead_letters } = explanation
  const heading = headingOf(explanation)
  const below = (lines: readonly string[]): readonly string[] => (lines.length > 0 ? ['', ...lines] : [])
  return [
    styleText('bold', `${heading.charAt(0).toUpperCase()}${heading.slice(1)}`),
    ...below(timelineInWords(timeline)),
    ...below(gap ? [gapInWords(gap)] : []),
    ...below(viewsInWords(views)),
    ...others.flatMap(({ log_id, views: theirs }) => [
      ...below([styleText('bold', `${kindOfSaga(explanation, log_id)} ${log_id}`)]),
      ...columns(theirs.map(viewInWords)),
    ]),
    ...below(lettersInWords(dead_letters)),
  ]
}
