/**
 * How does the shop show itself?
 *
 * `GET /events` is one stream of all that happens in it: once a second what has changed, or less often for many hundred consoles.
 * While there is one, what is appended to the logs is read and the services are asked how they stand; while there is none,
 * nothing is. `GET /console/state` is the same at a moment, as far as it is known then: how the replicas are, what waits for
 * them, and what was told last. Both are for operators, of whom whoever calls this makes sure.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { PREFIXES, type Service } from '../../shared/contract/services.ts'
import { problem } from '../../shared/http/problem.ts'
import type { Step } from '../../shared/process/step.ts'
import { sendProblem, sendText } from '../proxy/answers.ts'
import type { Passed } from '../proxy/headers.ts'
import type { ReplicaSet, ServiceView } from '../proxy/replica-set.ts'
import type { StillHolds } from '../proxy/streams.ts'
import { openCheckouts } from './checkouts.ts'
import { type Launcher, openDemo } from './demo.ts'
import { type Answer, openQuestions } from './questions.ts'
import { readServiceEvents } from './service-events.ts'
import { openWatchers, WATCHERS_MAX } from './watchers.ts'

export type ConsoleOptions = {
  readonly services: ReadonlyMap<string, ReplicaSet>
  readonly stillHolds: StillHolds | undefined
  /** What may harm the shop for show, if anything may. */
  readonly launcher: Launcher | undefined
  readonly step: Step
  readonly log: Logger
}

export type Console = {
  /** By which methods it is asked for this, by operators; none if it does not answer it. */
  readonly methodsOf: (path: string) => readonly string[]
  readonly answer: (request: IncomingMessage, response: ServerResponse, path: string, passed: Passed) => void
  /** Ends all streams. */
  readonly endAll: () => void
}

const EVERY_MS = 1_000
/** That a part has gone, or is back, is told sooner: one that is started again at once may be back before the second is over. */
const PARTS_EVERY_MS = 100
/** If more look, they are told less often, at 2,000 each five seconds: to tell one takes 25 us, and its share of a busy machine to read. */
const TOLD_PER_SECOND = 400
const EVENTS = '/events'
const STATE = '/console/state'
/** What is asked for here, by which it is counted as others are by their rows. */
export const CONSOLE_PATHS: readonly string[] = [EVENTS, STATE]

/**
 * Whose logs are read. Only order's is counted; what the others tell is how far a checkout has come that is under way, and for that
 * the newest entries are enough.
 */
const LOGS: readonly { readonly name: Service; readonly most?: number }[] = [
  { name: 'order' },
  { name: 'payment', most: 128 },
  { name: 'stock', most: 128 },
]

/** So many audits are remembered: an hour of them, if each is as soon as it may be. */
const AUDITS = 720
type Audited = { readonly at: number; readonly balanced: boolean | null }

const READS = ['GET', 'HEAD']
const pathOf = (target: string): string => target.split('?', 1)[0] ?? ''

const tooMany = () =>
  problem(
    503,
    'too-many-viewers',
    'Too many look at the shop',
    'this gateway tells as many as it may; come again later',
  )

/** How each part is, as one text. */
const conditionsIn = (services: readonly ServiceView[]): string =>
  services.flatMap(({ replicas }) => replicas.map(({ condition }) => condition)).join()

/** What the services answered last, and which of it is news. */
const openAnswers = () => {
  const answers = new Map<string, Answer>()
  const texts = new Map<string, string>()
  const changed = new Set<string>()
  const audits: Audited[] = []
  const named = (names: Iterable<string>) => Object.fromEntries([...names].map((name) => [name, answers.get(name)]))
  return {
    audits: (): readonly Audited[] => audits,
    take: (name: string, answer: Answer): void => {
      answers.set(name, answer)
      if (name === 'audit') {
        const { balanced } = Object(answer.body) as { balanced?: boolean }
        audits.push({ at: answer.at, balanced: answer.status === 200 ? (balanced ?? null) : null })
        if (audits.length > AUDITS) audits.shift()
      }
      const text = JSON.stringify([answer.status, answer.body])
      if (texts.get(name) === text && name !== 'audit') return
      texts.set(name, text)
      changed.add(name)
    },
    news: () => {
      const told = named(changed)
      changed.clear()
      return told
    },
    whole: () => named(answers.keys()),
  }
}

export const openConsole = (options: ConsoleOptions): Console => {
  const { services, stillHolds, step, log } = options
  const checkouts = openCheckouts()
  const answers = openAnswers()
  const demo = openDemo(options.launcher)
  let watching: AbortController | undefined
  let secondsUntold = 0
  let toldConditions = ''

  const views = () => [...services.values()].map(({ view }) => view)

  const begin = (): void => {
    watching = new AbortController()
    checkouts.resume()
    toldConditions = conditionsIn(views())
    const { signal } = watching
    const { borne, endStrangers: onRefused } = watchers
    for (const { name, most } of LOGS) {
      const service = services.get(name)
      if (service === undefined) continue
      const onDigest = checkouts.take.bind(undefined, name)
      const about = { service, path: `/${PREFIXES[name]}/events`, most, borne, step, onDigest, onRefused, log }
      void readServiceEvents(about, signal)
    }
    void ask(signal)
    const timers = [setInterval(tick, EVERY_MS), setInterval(lookAtParts, PARTS_EVERY_MS)]
    signal.addEventListener('abort', () => timers.forEach(clearInterval))
  }
  const tick = (): void => {
    checkouts.tick(Date.now())
    secondsUntold += 1
    if (secondsUntold * TOLD_PER_SECOND >= watchers.count()) tell()
  }
  const lookAtParts = (): void => {
    if (watchers.count() <= TOLD_PER_SECOND && conditionsIn(views()) !== toldConditions) tell()
  }
  const tell = (): void => {
    secondsUntold = 0
    const common = { at: Date.now(), consoles: watchers.count(), services: views(), demo: demo.state() }
    toldConditions = conditionsIn(common.services)
    watchers.tell(
      () => ({ ...common, ...checkouts.news(), answers: answers.news() }),
      () => ({ ...common, ...checkouts.whole(), answers: answers.whole(), audits: answers.audits() }),
    )
  }
  const watchers = openWatchers({ stillHolds, onFirst: begin, onLast: () => watching?.abort() })
  const ask = openQuestions({ services, borne: watchers.borne, step, onAnswer: answers.take })

  const show = (request: IncomingMessage, response: ServerResponse, path: string, passed: Passed): void => {
    if (request.method === 'POST') return demo.answer(response, path, passed.requestId)
    if (pathOf(path) === EVENTS) {
      if (watchers.count() >= WATCHERS_MAX) return sendProblem(response, tooMany(), passed.requestId)
      return watchers.add(response, passed, request.method === 'HEAD')
    }
    const state = { at: Date.now(), consoles: watchers.count(), services: views(), answers: answers.whole() }
    sendText(response, JSON.stringify(state), passed.requestId, 'application/json')
  }

  return {
    methodsOf: (target) => {
      if (CONSOLE_PATHS.includes(pathOf(target))) return READS
      return demo.knows(target) ? ['POST'] : []
    },
    answer: show,
    endAll: watchers.endAll,
  }
}
