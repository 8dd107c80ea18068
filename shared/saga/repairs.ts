/** What is told of the log parser's repairs? How many there were, among the metrics; and of each that is of a trace, a span. */
import type { Log } from '../log/log.ts'
import { counter } from '../metrics/metric.ts'
import { noMetrics } from '../metrics/metrics.ts'
import { type Span, sampledIn, type Tracing } from '../process/tracing.ts'
import type { Finding } from './recovery.ts'

export const repairsTotal = counter('shop_log_parser_repairs_total', 'What the log parser has repaired', 'repair')

/** Counts a repair by its name. */
export const repairCounter = (metrics = noMetrics): ((repair: string) => void) => {
  const total = metrics.counter(repairsTotal)
  return (repair) => total(repair)()
}

/** Begins the span of a repair, which is part of the trace that the saga is of, if it is of one. */
export const repairSpan = async (
  tracing: Tracing,
  log: Log,
  { log_id, repair }: Finding,
): Promise<Span | undefined> => {
  const trace = repair === 'wait' ? undefined : sampledIn((await log.recorded(log_id)).trace)
  return trace === undefined
    ? undefined
    : tracing.start('internal', `repair ${repair}`, trace, { 'shop.log_id': log_id })
}
