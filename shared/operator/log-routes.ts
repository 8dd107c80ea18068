/** How do operators read a log, and have it parsed? */
import { AGAIN } from '../http/answer.ts'
import { type Route, routes } from '../http/route.ts'
import type { LogEntry } from '../log/entry.ts'
import type { Log } from '../log/log.ts'
import type { LogParser } from '../saga/log-parser.ts'
import { logApi } from './api.ts'
import { openLiveLog } from './live-log.ts'
import { noSuchLogId, tooManyViewers } from './problems.ts'
import { type Keeping, readersOf } from './readers.ts'

const RECENT_MAX = 10_000

/** Clients name leases, by which their entries go: as something that every object has, too. Hence a map. */
const groupByLogId = (entries: readonly LogEntry[]): Readonly<Record<string, LogEntry[]>> =>
  Object.fromEntries(Map.groupBy(entries, ({ log_id }) => log_id))

/** Where the next page begins, if there may be one. */
export const nextOf = (page: readonly { readonly id: string }[], limit: number): string | null =>
  page.length === limit ? (page.at(-1)?.id ?? null) : null

export const logRoutes = (prefix: string, log: Log, parser: LogParser, keeping: Keeping): readonly Route[] => {
  const live = openLiveLog(log)
  return routes(logApi(prefix), {
    countEntries: async () => ({ text: String(await log.count()) }),
    findEntries: async ({ params: { log_id } }) => {
      const logs = await log.entriesOf(log_id)
      return logs.length === 0 ? { problem: noSuchLogId(log.service, log_id) } : { json: { logs } }
    },
    listEntries: async ({ query: { after, limit } }) => {
      const logs = await log.page(after, limit)
      return { json: { logs, next: nextOf(logs, limit) } }
    },
    listRecentEntries: async ({ params: { minutes } }) => {
      const entries = await log.recent(minutes, RECENT_MAX)
      return { json: { logs: groupByLogId(entries), next: nextOf(entries, RECENT_MAX) } }
    },
    watchLog: async ({ headers, query: { most }, closing }) => {
      if (!live.hasRoom()) return { problem: tooManyViewers(), headers: AGAIN }
      return { events: (stream) => live.watch({ seen: headers['last-event-id'], most }, stream, closing) }
    },
    showReaders: async () => ({ json: await readersOf(log, parser, keeping) }),
    parseLog: async () => ({ json: await parser.run() }),
  })
}
