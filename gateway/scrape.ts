/** What is told of the gateway by metrics? Operators are. */
import type { ServerResponse } from 'node:http'
import { problem } from '../shared/http/problem.ts'
import type { Metrics } from '../shared/metrics/metrics.ts'
import { sendProblem, sendText } from './proxy/answers.ts'
import type { Passed } from './proxy/headers.ts'

export const METRICS_PATH = '/metrics'

const metricsOff = () =>
  problem(404, 'metrics-off', 'No metrics', 'this process measures nothing: it was started with METRICS=no')

export const sendMetrics = async (metrics: Metrics, response: ServerResponse, { requestId }: Passed): Promise<void> => {
  const scraped = await metrics.scrape()
  if (response.destroyed) return
  if (scraped === undefined) return sendProblem(response, metricsOff(), requestId)
  sendText(response, scraped.text, requestId, scraped.type)
}
