/** What is a service asked of single sagas and things, where an audit does not add up? */
import type { Auditor } from '../audit/auditor.ts'
import { type Route, routes } from '../http/route.ts'
import { auditApi } from './api.ts'

export const auditRoutes = (prefix: string, auditor: Auditor): readonly Route[] =>
  routes(auditApi(prefix), {
    sagasAt: async ({ query: { at, log_ids } }) => ({ json: { sagas: await auditor.sagasAt(at, log_ids) } }),
    readRecords: async ({ query: { log_ids, cursor } }) => ({
      json: log_ids ? { records: await auditor.records(log_ids) } : await auditor.recordsPage(cursor),
    }),
    findAbsent: async ({ query: { ids } }) => ({ json: { absent: await auditor.absent(ids) } }),
  })
