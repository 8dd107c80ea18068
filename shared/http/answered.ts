/**
 * What is told of a request once it is answered?
 *
 * How long it took, among the metrics. In the log: what operators had done, and others under their name, and what was not done in time;
 * at the level `debug` everything, and else as many of the rest as are wanted (`LOG_REQUESTS`). These lines name the route, never the
 * path, and all of them the log id of what was begun, so that a request leads to its entries.
 */
import type { ParameterizedContext } from 'koa'
import type { Logger } from 'pino'
import { type Metrics, noMetrics } from '../metrics/metrics.ts'
import { openRequestMeasure } from '../metrics/requests.ts'
import { openSampling, roundedMs } from '../process/request-log.ts'
import { type Span, traceIdIn } from '../process/tracing.ts'
import { LOG_ID_HEADER } from './answer.ts'
import { isOver } from './connections.ts'
import { aboutRequest } from './operators.ts'
import type { Route } from './route.ts'

/** What is known of a request once a route has taken it: which, under whose name it is done, if that is to be known, and what is traced. */
export type Taken = { route?: Route; doneBy?: string | undefined; span?: Span | undefined }

export type Answered = (ctx: ParameterizedContext<Taken>, ms: number) => void

export type AnsweredOptions = {
  readonly log: Logger
  /** Default: nothing is measured. */
  readonly metrics?: Metrics | undefined
  /** One in how many requests is logged; 0, the default: none. */
  readonly logOneIn?: number | undefined
}

/** The path of a route as its row has it. */
const rowPathOf = ({ path }: Route): string => path.replaceAll(/:(\w+)/g, '{$1}')

export const openAnswered = ({ log, metrics = noMetrics, logOneIn = 0 }: AnsweredOptions): Answered => {
  const measure = openRequestMeasure(metrics)
  const isSampled = openSampling(logOneIn)
  const paths = new Map<Route, string>()
  const pathOf = (route: Route | undefined): string => {
    if (route === undefined) return ''
    const known = paths.get(route)
    if (known !== undefined) return known
    const path = rowPathOf(route)
    paths.set(route, path)
    return path
  }
  const isRemarkable = ({ state: { route, doneBy }, status, response }: ParameterizedContext<Taken>): boolean => {
    const isNamed = route?.scope === 'operator' || doneBy !== undefined
    // Of one for which a peer was only asked, and did not answer, the failure is logged.
    const isCancelled = status === 424 && Boolean(response.get(LOG_ID_HEADER))
    return (isNamed && route?.method !== 'GET') || isCancelled
  }

  return (ctx, ms) => {
    const { method, status, state } = ctx
    // Of one that was broken off nobody knows how it was answered.
    if (!isOver(ctx.req)) measure(method, pathOf(state.route), status, ms)
    const isOwn = isRemarkable(ctx)
    if (!isOwn && logOneIn === 0 && !log.isLevelEnabled('debug')) return
    const requestId = ctx.get('x-request-id')
    const isLogged = isOwn || isSampled(requestId)
    if (!isLogged && !log.isLevelEnabled('debug')) return
    const trace_id = traceIdIn(ctx.headers.traceparent)
    const about = isOwn ? aboutRequest(ctx) : { requestId: requestId || undefined, trace_id, method }
    log[isLogged ? 'info' : 'debug'](
      {
        ...about,
        route: pathOf(state.route),
        doneBy: state.doneBy,
        status,
        ms: roundedMs(ms),
        log_id: ctx.response.get(LOG_ID_HEADER) || undefined,
      },
      'answered',
    )
  }
}
