/**
 * How do people read a log, and have it parsed?
 *
 * The operators' routes that every service has under its own prefix.
 */
import { problem } from '../http/problem.ts'
import { amount, identifier, parseAmount } from '../http/request.ts'
import type { Route } from '../http/route.ts'
import { type LogEntry, parseEntryId } from '../log/entry.ts'
import type { Log } from '../log/log.ts'
import type { LogParser } from '../saga/log-parser.ts'

/** The most entries that one answer carries. */
const PAGE_MAX = 1_000
const RECENT_MAX = 10_000
const MINUTES_MAX = 60 * 24 * 365

const groupByLogId = (entries: readonly LogEntry[]): Record<string, LogEntry[]> => {
  const groups: Record<string, LogEntry[]> = {}
  for (const entry of entries) {
    groups[entry.log_id] ??= []
    groups[entry.log_id]?.push(entry)
  }
  return groups
}

export const logRoutes = (prefix: string, log: Log, parser: LogParser): readonly Route[] => [
  {
    method: 'GET',
    path: `${prefix}/log_count`,
    operator: true,
    handler: async () => ({ text: String(await log.count()) }),
  },
  {
    method: 'GET',
    path: `${prefix}/log/:log_id`,
    operator: true,
    handler: async (request) => {
      const logId = identifier(request, 'log_id')
      const logs = await log.entriesOf(logId)
      if (logs.length === 0)
        return {
          problem: problem(
            404,
            'no-such-log-id',
            'Unknown log id',
            `the log of ${log.service} has no entry of "${logId}"`,
          ),
        }
      return { json: { logs } }
    },
  },
  {
    method: 'GET',
    path: `${prefix}/logs`,
    operator: true,
    handler: async (request) => {
      const after = parseEntryId(request.query('after') ?? '0-0', 'after')
      const limit = parseAmount(request.query('limit') ?? '100', 'limit', { min: 1, max: PAGE_MAX })
      const logs = await log.page(after, limit)
      return { json: { logs, next: logs.length === limit ? logs.at(-1)?.id : null } }
    },
  },
  {
    method: 'GET',
    path: `${prefix}/sorted_logs/:minutes`,
    operator: true,
    handler: async (request) => {
      const minutes = amount(request, 'minutes', { min: 1, max: MINUTES_MAX })
      const entries = await log.recent(minutes, RECENT_MAX)
      return { json: { logs: groupByLogId(entries), next: entries.length === RECENT_MAX ? entries.at(-1)?.id : null } }
    },
  },
  {
    method: 'POST',
    path: `${prefix}/fault_tolerance`,
    operator: true,
    handler: async () => ({ json: await parser.run() }),
  },
]
