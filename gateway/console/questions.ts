/**
 * What is asked of the services again and again while anybody looks?
 *
 * Each question at its own pace, and with pauses of twenty times as long as an answer takes, so that a shop that is large or slow is not
 * burdened: an audit of half a million orders keeps the Redis of order busy for a second. The answers are passed on as they are: what they mean, the page knows.
 */
import { setTimeout as after } from 'node:timers/promises'
import type { Step } from '../../shared/process/step.ts'
import type { Replica } from '../proxy/replica.ts'
import type { ReplicaSet } from '../proxy/replica-set.ts'
import type { Borne } from './service-events.ts'

export type Service = 'order' | 'payment' | 'stock' | 'ids'

export type Question = {
  /** By which name the page knows it. */
  readonly name: string
  readonly service: Service
  readonly path: string
  readonly everyMs: number
  /** Each replica has an answer of its own. */
  readonly ofEach?: true
}

const PREFIXES: Readonly<Record<Service, string>> = { order: 'orders', payment: 'payment', stock: 'stock', ids: 'ids' }
export const SERVICES = Object.keys(PREFIXES) as readonly Service[]
export const prefixOf = (service: Service): string => PREFIXES[service]

const ofAll = (name: string, path: string, everyMs: number, more: { readonly ofEach?: true } = {}): Question[] =>
  SERVICES.map((service) => ({
    name: `${name}.${service}`,
    service,
    path: `/${PREFIXES[service]}/${path}`,
    everyMs,
    ...more,
  }))

export const QUESTIONS: readonly Question[] = [
  { name: 'audit', service: 'order', path: '/audit', everyMs: 5_000 },
  { name: 'unfinished.order', service: 'order', path: '/orders/unfinished', everyMs: 1_000 },
  { name: 'unfinished.payment', service: 'payment', path: '/payment/unfinished', everyMs: 1_000 },
  { name: 'contradictions', service: 'order', path: '/orders/contradictions', everyMs: 2_000 },
  { name: 'locks', service: 'ids', path: '/locks?waiters=true&limit=100', everyMs: 2_000 },
  ...ofAll('letters', 'dead_letters?limit=100', 3_000),
  ...ofAll('readers', 'readers', 2_000, { ofEach: true }),
]

/** What came of a question: a body, or nothing that could be read. */
export type Answer = { readonly at: number; readonly status: number; readonly body: unknown }

/** Longer than a service takes to say that its Redis is away. */
const LATE_MS = 4_000
/** So many times as long as an answer has taken nobody asks again: at most a 21st of the time of a service is spent on one question. */
const SHARE = 20
const AUDIT_LATE_MS = 30_000

const NO_ANSWER = 504

export type QuestionsOptions = {
  readonly services: ReadonlyMap<string, ReplicaSet>
  readonly borne: Borne
  readonly step: Step
  readonly onAnswer: (name: string, answer: Answer) => void
}

/** Asks all of it until the signal. Who is asked once more keeps to the pauses of before, however often consoles come and go. */
export type AskAgainAndAgain = (signal: AbortSignal) => Promise<void>

export const openQuestions = ({ services, borne, step, onAnswer }: QuestionsOptions): AskAgainAndAgain => {
  /** When each may be asked next. */
  const dueAt = new Map<string, number>()

  const ask = async (
    replica: Replica,
    { service, path, name }: Question,
    signal: AbortSignal,
  ): Promise<Omit<Answer, 'at'>> => {
    const late = AbortSignal.any([signal, AbortSignal.timeout(name === 'audit' ? AUDIT_LATE_MS : LATE_MS)])
    try {
      const { statusCode, body } = await step(`ask-${service}`, () =>
        replica.pools.of({ kind: 'short' }).request({ method: 'GET', path, headers: [...borne()], signal: late }),
      )
      return { status: statusCode, body: await body.json() }
    } catch {
      return { status: NO_ANSWER, body: null } // it broke off, was late, or is no JSON: what is shown is that there is no answer
    }
  }

  const answerTo = async (question: Question, signal: AbortSignal): Promise<Omit<Answer, 'at'>> => {
    const service = services.get(question.service)
    if (question.ofEach) {
      const replicas = service?.reachable ?? []
      const answers = await Promise.all(
        replicas.map(async (replica) => ({ origin: replica.origin, ...(await ask(replica, question, signal)) })),
      )
      const told = answers.filter(({ status }) => status === 200)
      return { status: told.length > 0 ? 200 : NO_ANSWER, body: told.map(({ origin, body }) => ({ origin, body })) }
    }
    const replica = service?.pick({ kind: 'short' })
    return replica ? ask(replica, question, signal) : { status: NO_ANSWER, body: null }
  }

  const keepAsking = async (question: Question, signal: AbortSignal): Promise<void> => {
    const { name, everyMs } = question
    while (!signal.aborted) {
      const rest = (dueAt.get(name) ?? 0) - performance.now()
      if (rest > 0) await after(rest, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      const begun = performance.now()
      // Whoever comes before this is answered does not have it asked again.
      dueAt.set(name, begun + everyMs)
      const answer = await answerTo(question, signal)
      const now = performance.now()
      dueAt.set(name, now + Math.max(everyMs, (now - begun) * SHARE))
      if (!signal.aborted) onAnswer(name, { at: Date.now(), ...answer })
    }
  }

  return async (signal) => {
    await Promise.all(QUESTIONS.map((question) => keepAsking(question, signal)))
  }
}
