/** What has the log parser repaired, in numbers? */
import { counter } from '../metrics/metric.ts'
import { noMetrics } from '../metrics/metrics.ts'

export const repairsTotal = counter('shop_log_parser_repairs_total', 'What the log parser has repaired', 'repair')

/** Counts a repair by its name. */
export const repairCounter = (metrics = noMetrics): ((repair: string) => void) => {
  const total = metrics.counter(repairsTotal)
  return (repair) => total(repair)()
}
