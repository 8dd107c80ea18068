/**
 * Who may read the metrics of a process, and how are they answered?
 *
 * `GET /metrics` is for operators. It is answered before anything else is asked of the server, also while that is draining. Where
 * tokens are wanted of clients, it is the one path on which a service listens to others than its gateway: to who bears the
 * operators' token.
 */
import type { Context } from 'koa'
import type { Metrics } from '../metrics/metrics.ts'
import { sendProblem } from './answer.ts'
import type { Authorisation } from './authorisation.ts'
import { metricsOff } from './problems.ts'
import { faultOfQuery, queryIn } from './query.ts'

export const METRICS_PATH = '/metrics'

export const isScrape = ({ path, method }: Context): boolean =>
  path === METRICS_PATH && (method === 'GET' || method === 'HEAD')

export const answerScrape = async (
  ctx: Context,
  authorisation: Pick<Authorisation, 'refuseScrape'>,
  metrics: Metrics,
): Promise<void> => {
  const refusal = authorisation.refuseScrape(ctx) ?? faultOfQuery(queryIn(ctx.querystring), [])
  if (refusal) return sendProblem(ctx, refusal)
  const scraped = await metrics.scrape()
  if (scraped === undefined) return sendProblem(ctx, metricsOff())
  ctx.set('Content-Type', scraped.type)
  ctx.body = scraped.text
}
