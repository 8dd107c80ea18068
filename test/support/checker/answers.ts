/**
 * Do answers to one key agree, and is each identifier given once?
 *
 * Under one key the same request is given the same answer, to the letter. "Not now" is no answer to the question: it may
 * come before the action, but never after it, for it says that nothing was done.
 */
import type { Account, Accounts, Clocks } from './accounts.ts'
import type { Anomaly } from './anomaly.ts'
import { SLACK_MS } from './asked.ts'
import { CREATES, groupedBy, type Operation, PASSING } from './history.ts'

const NEVER = Number.POSITIVE_INFINITY
const createdBy = ({ does, facts }: Operation): string => facts[CREATES[does] ?? ''] ?? ''

const aboutOf = (operation: Operation | undefined): string => {
  const { order, item, user } = operation?.facts ?? {}
  if (order !== undefined) return `order:${order}`
  return item === undefined ? `user:${user}` : `item:${item}`
}

const requestOf = ({ idempotencyKey, does, facts }: Operation): string =>
  JSON.stringify([idempotencyKey, does, ...Object.entries(facts).filter(([name]) => name !== CREATES[does])])

const isFinal = ({ told, problem, status }: Operation): boolean =>
  told !== 'unknown' && status < 500 && !PASSING.has(problem)

/** A request was refused, as far as its client knows, by the service that keeps the key. */
const isRefused = ({ told, status }: Operation): boolean => told === 'refused' && status < 500

/** When the thing that these requests created was logged, by the clients' clock; as early as can be told. */
const loggedMs = (asked: readonly Operation[], accounts: Accounts, clocks: Clocks): number => {
  const thing = aboutOf(asked.find((one) => one.told === 'ok' && createdBy(one) !== ''))
  for (const participant of ['payment', 'stock', 'order'] as const) {
    const [first] = (accounts[participant] as Account<unknown>).timelines.get(thing) ?? []
    const clockMs = clocks[participant]
    if (first !== undefined && clockMs !== undefined) return first.loggedMs - clockMs + SLACK_MS
  }
  return NEVER
}

/** Answers under one key that differ, and refusals of what was done under it before they were asked for. */
const disagreeing = (asked: readonly Operation[], accounts: Accounts, clocks: Clocks): Anomaly[] => {
  const answers = new Set(
    asked.filter(isFinal).map((one) => `${one.status} ${one.problem}${createdBy(one)} ${one.letter}`.trim()),
  )
  const told = Math.min(NEVER, ...asked.filter((one) => one.told === 'ok').map(({ endedMs }) => endedMs))
  const done = Math.min(told, loggedMs(asked, accounts, clocks))
  const late = asked.filter((one) => isRefused(one) && PASSING.has(one.problem) && one.begunMs > done)
  const says = [...answers, ...late.map(({ status, problem }) => `after it was done ${status} ${problem}`)]
  return answers.size > 1 || late.length > 0
    ? [{ name: 'key-answered-otherwise', about: aboutOf(asked[0]), says: says.join(', then ') }]
    : []
}

/** Everything that answers under keys, and identifiers, contradict. */
export const disagreements = (history: readonly Operation[], accounts: Accounts, clocks: Clocks): Anomaly[] => {
  const keyed = history.filter((one) => one.idempotencyKey !== undefined && one.problem !== 'idempotency-key-reused')
  const otherwise = [...groupedBy(keyed, requestOf)].flatMap(([, asked]) => disagreeing(asked, accounts, clocks))
  const created = history.filter(({ does, told }) => CREATES[does] !== undefined && told === 'ok')
  const twice = [...groupedBy(created, aboutOf)].flatMap(([about, all]): Anomaly[] =>
    all.length > 1 &&
    all.some(({ idempotencyKey }) => idempotencyKey === undefined || idempotencyKey !== all[0]?.idempotencyKey)
      ? [{ name: 'identifier-given-twice', about, says: `${all.length} times` }]
      : [],
  )
  return [...otherwise, ...twice]
}
