/**
 * What is asked of the services again and again while anybody looks?
 *
 * Each question at its own pace, and with longer pauses if it is work to answer: an audit of half a million orders keeps the
 * Redis of order busy for a second. An answer may also take long because it waited for a part that was away, and then people want
 * to know soon how it stands now. So the work is what the quickest of the last three answers took. The answers are passed on as
 * they are: what they mean, the page knows.
 */
import { setTimeout as after } from 'node:timers/promises'
import { PREFIXES, SERVICES, type Service } from '../../shared/contract/services.ts'
import type { Step } from '../../shared/process/step.ts'
import type { Replica } from '../proxy/replica.ts'
import type { ReplicaSet } from '../proxy/replica-set.ts'
import type { Borne } from './service-events.ts'

export type Question = {
  /** By which name the page knows it. */
  readonly name: string
  readonly service: Service
  readonly path: string
  readonly everyMs: number
  /** Each replica has an answer of its own. */
  readonly ofEach?: true
}

const ofAll = (name: string, path: string, everyMs: number, more: { readonly ofEach?: true } = {}): Question[] =>
  SERVICES.map((service) => ({
    name: `${name}.${service}`,
    service,
    path: `/${PREFIXES[service]}/${path}`,
    everyMs,
    ...more,
  }))

const QUESTIONS: readonly Question[] = [
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

/** After how long an answer is too late, and the longest pause. */
type Bounds = { readonly lateMs: number; readonly pauseMaxMs: number }
/**
 * Each tells a bounded number of things, and is late after longer than a service takes to say that its Redis is away. One that is
 * always late is under way for less than half of the time.
 */
const BOUNDED: Bounds = { lateMs: 4_000, pauseMaxMs: 5_000 }
/** It looks at all that there is. One of up to six seconds takes a 21st of the time at most, and one that is always late a fifth. */
const UNBOUNDED: Bounds = { lateMs: 30_000, pauseMaxMs: 120_000 }
const boundsOf = ({ name }: Question): Bounds => (name === 'audit' ? UNBOUNDED : BOUNDED)
/** The pause is so many times as long as the work takes. */
const SHARE = 20
/** So many answers in a row have to take long before that is taken for work. */
const MEASURED = 3

const NO_ANSWER = 504

export type QuestionsOptions = {
  readonly services: ReadonlyMap<string, ReplicaSet>
  readonly borne: Borne
  readonly step: Step
  readonly onAnswer: (name: string, answer: Answer) => void
}

/** How often is a question asked, by how long its answers take? */
const openPace = (question: Question) => {
  const { lateMs, pauseMaxMs } = boundsOf(question)
  const took: number[] = []
  return {
    /** @returns the pause after an answer, which is never shorter than that took */
    pauseAfter: (tookMs: number, status: number): number => {
      // What fails at once was no work, and says nothing of it.
      if (status === 200 || tookMs >= lateMs) took.push(tookMs)
      if (took.length > MEASURED) took.shift()
      const workMs = took.length < MEASURED ? 0 : Math.min(...took)
      return Math.max(question.everyMs, tookMs, Math.min(workMs * SHARE, pauseMaxMs))
    },
  }
}

type Pace = ReturnType<typeof openPace>

/** Asks all of it until the signal. Who is asked once more keeps to the pauses of before, however often consoles come and go. */
export type AskAgainAndAgain = (signal: AbortSignal) => Promise<void>

export const openQuestions = ({ services, borne, step, onAnswer }: QuestionsOptions): AskAgainAndAgain => {
  /** When each may be asked next. */
  const dueAt = new Map<string, number>()
  const asked = QUESTIONS.map((question) => ({ question, pace: openPace(question) }))

  const ask = async (replica: Replica, question: Question, signal: AbortSignal): Promise<Omit<Answer, 'at'>> => {
    const { service, path } = question
    const late = AbortSignal.any([signal, AbortSignal.timeout(boundsOf(question).lateMs)])
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

  const keepAsking = async (question: Question, { pauseAfter }: Pace, signal: AbortSignal): Promise<void> => {
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
      dueAt.set(name, now + pauseAfter(now - begun, answer.status))
      if (!signal.aborted) onAnswer(name, { at: Date.now(), ...answer })
    }
  }

  return async (signal) => {
    await Promise.all(asked.map(({ question, pace }) => keepAsking(question, pace, signal)))
  }
}
