/** How is it measured how requests are answered, by whichever server? The same name in all, so that one panel shows them all. */
import { histogram, SECONDS } from './metric.ts'
import type { Metrics } from './metrics.ts'

export const requestSeconds = histogram(
  'http_server_request_duration_seconds',
  'How long requests took until they were answered; the route is that of the row, and empty where there is none',
  SECONDS,
  'http_request_method',
  'http_route',
  'http_response_status_code',
)

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** What else a client may send as a method. */
const OTHER = '_OTHER'

export type MeasureRequest = (method: string, route: string, status: number, ms: number) => void

export const openRequestMeasure = (metrics: Metrics): MeasureRequest => {
  const seconds = metrics.histogram(requestSeconds)
  return (method, route, status, ms) => seconds(METHODS.has(method) ? method : OTHER, route, String(status))(ms / 1_000)
}
