/**
 * What does the gateway answer itself?
 *
 * Whether it is live and ready, what it measures, what the shop can be asked (`/docs`), the console at `/`, and what that is told. A path
 * that nobody knows is a problem for programs, and a page for browsers.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { faultOfQuery, type Query, queryIn } from '../shared/http/query.ts'
import { type Metrics, noMetrics } from '../shared/metrics/metrics.ts'
import type { Step } from '../shared/process/step.ts'
import { type AdmissionOptions, stillHoldsBy } from './admission.ts'
import { openConsole } from './console/console.ts'
import type { Launcher } from './console/demo.ts'
import { openPage, prefersPage } from './console/page.ts'
import { openDocs } from './docs/docs.ts'
import { openGatewayGauges } from './metrics.ts'
import type { OperatorTokens } from './operator-tokens.ts'
import { openForOperators } from './operators.ts'
import { methodNotAllowed, noSuchRoute, sendProblem, sendText } from './proxy/answers.ts'
import type { Passed } from './proxy/headers.ts'
import type { ReplicaSet } from './proxy/replica-set.ts'
import { openReadiness } from './readiness.ts'
import { METRICS_PATH, sendMetrics } from './scrape.ts'

export type OwnRoutesOptions = AdmissionOptions & {
  readonly services: ReadonlyMap<string, ReplicaSet>
  /** The first words of what services are asked. */
  readonly segments: ReadonlySet<string>
  readonly tokens: OperatorTokens
  readonly isDraining: () => boolean
  /** What may harm the shop for show, if anything may. */
  readonly launcher?: Launcher | undefined
  /** What an operator bears; `''`, the default: nothing that the gateway knows. */
  readonly operatorToken?: string
  /** Default: nothing is measured. */
  readonly metrics?: Metrics
  readonly step: Step
  readonly log: Logger
}

export type OwnRoutes = {
  /** Answers what is for anybody, and all that nobody knows. */
  readonly answer: (request: IncomingMessage, response: ServerResponse, path: string, passed: Passed) => void
  /** Whether it is to be known who asks this. */
  readonly isJudged: (request: IncomingMessage, path: string) => boolean
  readonly answerJudged: (request: IncomingMessage, response: ServerResponse, path: string, passed: Passed) => void
  /** Ends what goes on for as long as its client stays. */
  readonly endAll: () => void
}

const READS: readonly string[] = ['GET', 'HEAD']
const isSafe = ({ method = '' }: IncomingMessage): boolean => READS.includes(method)
const isPath = (url: string, path: string): boolean => url === path || url.startsWith(`${path}?`)
const queryOf = (url: string): Query => {
  const at = url.indexOf('?')
  return queryIn(at === -1 ? '' : url.slice(at + 1))
}
const isScrape = (request: IncomingMessage, path: string): boolean => isSafe(request) && isPath(path, METRICS_PATH)

export const openOwnRoutes = (options: OwnRoutesOptions): OwnRoutes => {
  const {
    services,
    segments,
    tokens,
    isDraining,
    launcher,
    metrics = noMetrics,
    operatorToken = '',
    step,
    log,
  } = options
  const onUnread = (error: unknown): void => log.error({ err: error }, 'a page cannot be read')
  const docs = openDocs(onUnread)
  const page = openPage(onUnread)
  const byCaller = options.authentication !== undefined
  const forOperators = openForOperators({ byCaller, operatorToken, services, step })
  const console = openConsole({ services, stillHolds: stillHoldsBy(options), launcher, step, log })
  const sendReadiness = openReadiness([...services.values()], tokens, isDraining)
  openGatewayGauges(metrics, [...services.values()])

  const answerProbe = (response: ServerResponse, path: string, requestId: string): void => {
    const isReadiness = isPath(path, '/ready')
    const query = queryOf(path)
    const fault = faultOfQuery(query, isReadiness ? ['verbose'] : [])
    if (fault) sendProblem(response, fault, requestId)
    else if (isReadiness) sendReadiness(response, requestId, query.has('verbose'))
    else sendText(response, 'live', requestId)
  }
  const answerRead = (request: IncomingMessage, response: ServerResponse, path: string, passed: Passed): void => {
    const { requestId } = passed
    if (page.send(request, response, path, requestId) || docs.send(request, response, path, requestId)) return
    if (isPath(path, '/live') || isPath(path, '/ready')) return answerProbe(response, path, requestId)
    refuse(request, response, path, requestId)
  }

  /** By which methods it is asked for what is at a path; none if nothing is. */
  const methodsOf = (path: string): readonly string[] => {
    const [bare = ''] = path.split('?')
    const isRead = page.has(bare) || docs.has(bare) || ['/live', '/ready', METRICS_PATH].includes(bare)
    return isRead ? READS : console.methodsOf(path)
  }
  /** What to ask instead of a path that there is not, if it differs from one only in case or by a slash at the end. */
  const hintFor = (path: string): string | undefined => {
    const [asked = ''] = path.split('?')
    const bare = asked.endsWith('/') ? asked.slice(0, -1) || '/' : asked
    const meant = [bare, bare.toLowerCase()].find((one) => methodsOf(one).length > 0)
    if (meant !== undefined) return `ask for ${meant}`
    const segment = bare.toLowerCase().split('/')[1] ?? ''
    return segments.has(segment) ? `its first word is "${segment}", in lower case` : undefined
  }
  const refuse = (request: IncomingMessage, response: ServerResponse, path: string, requestId: string): void => {
    const allowed = methodsOf(path).join(', ')
    if (allowed !== '') {
      response.setHeader('Allow', allowed)
      return sendProblem(response, methodNotAllowed(path.split('?')[0] ?? '', allowed), requestId)
    }
    if (isSafe(request) && prefersPage(request)) return page.sendMissing(request, response, requestId)
    sendProblem(response, noSuchRoute(path, hintFor(path)), requestId)
  }

  return {
    answer: (request, response, path, passed) => {
      if (isDraining()) response.shouldKeepAlive = false
      if (isSafe(request)) answerRead(request, response, path, passed)
      else refuse(request, response, path, passed.requestId)
    },
    isJudged: (request, path) => isScrape(request, path) || console.methodsOf(path).includes(request.method ?? ''),
    answerJudged: (request, response, path, passed) =>
      forOperators(response, passed, () => {
        const fault = faultOfQuery(queryOf(path), [])
        if (fault) sendProblem(response, fault, passed.requestId)
        else if (isScrape(request, path)) void sendMetrics(metrics, response, passed)
        else console.answer(request, response, path, passed)
      }),
    endAll: console.endAll,
  }
}
