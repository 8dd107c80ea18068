/** What is measured of a log: the commands that were run, and the entries that were applied? */

import type { RawEntry } from '../contract/raw-entry.ts'
import type { Service } from '../contract/services.ts'
import { counter, histogram, SECONDS } from '../metrics/metric.ts'
import { type Metrics, noMetrics } from '../metrics/metrics.ts'
import type { Reply } from '../redis/script.ts'

export const commandSeconds = histogram(
  'shop_command_duration_seconds',
  'How long a command or a query took that was run for a request or a repair, from when it was asked for until its reply',
  SECONDS,
  'command',
)
export const commandsTotal = counter(
  'shop_commands_total',
  'Commands that were run, also for an entry of a peer, by what they returned',
  'command',
  'result',
)
export const batchEntries = histogram(
  'shop_log_reader_batch_entries',
  "How many entries of a publisher's log were applied in one step",
  [1, 2, 4, 8, 16, 32, 64, 128, 256],
  'publisher',
)
export const applySeconds = histogram(
  'shop_log_reader_apply_seconds',
  'How long such a step took',
  SECONDS,
  'publisher',
)

export type Measured = {
  readonly ran: (command: string, reply: Reply, ms: number) => void
  readonly asked: (query: string, ms: number) => void
  /**
   * @param handled the entries that were applied, as the replies are in their order
   * @param commandOf by which command one is; not asked where nothing is measured
   */
  readonly applied: (
    publisher: Service,
    handled: readonly RawEntry[],
    commandOf: (entry: RawEntry) => string,
    replies: readonly Reply[],
    ms: number,
  ) => void
}

/** A command that tells how much it has done returns a number. */
const RESULT = /^[a-z][a-z-]*$/

const NOTHING: Measured = { ran: () => undefined, asked: () => undefined, applied: () => undefined }

export const openMeasured = (metrics: Metrics): Measured => {
  if (metrics === noMetrics) return NOTHING
  const seconds = metrics.histogram(commandSeconds)
  const total = metrics.counter(commandsTotal)
  const entries = metrics.histogram(batchEntries)
  const applying = metrics.histogram(applySeconds)
  return {
    ran: (command, [result], ms) => {
      seconds(command)(ms / 1_000)
      total(command, RESULT.test(result) ? result : '')()
    },
    asked: (query, ms) => seconds(query)(ms / 1_000),
    applied: (publisher, handled, commandOf, replies, ms) => {
      if (replies.length === 0) return
      entries(publisher)(replies.length)
      applying(publisher)(ms / 1_000)
      for (const [at, entry] of handled.entries()) total(commandOf(entry), replies[at]?.[0] ?? '')()
    },
  }
}
