/**
 * How do operators ask a service for its part of an audit?
 *
 * - `GET {prefix}/audit` counts all that the service owns and holds it against its books: seconds, if there is much.
 * - `GET {prefix}/audit/cut` is what the books say now, and which entry of the log is the newest.
 * - `GET {prefix}/audit/sagas?at=&log_ids=` is what was last said of these sagas when that entry was the newest.
 * - `GET {prefix}/audit/records?log_ids=` or `?cursor=` is what is recorded of these sagas now, or of one page of all.
 *
 * Sums are told as text: they may exceed what a JSON number holds.
 */
import { type Auditor, type Count, SAGAS_MAX } from './audit.ts'
import { parseEntryId } from './entry.ts'
import { MalformedError } from './errors.ts'
import { isIdentifier } from './events.ts'
import type { Request, Route } from './http.ts'

export type AuditRoutes = {
  readonly prefix: string
  readonly auditor: Auditor
  /** The accounts of the service's books. */
  readonly accounts: readonly string[]
  /** What is told of a count. */
  readonly tell: (count: Count) => Promise<Readonly<Record<string, unknown>>>
}

const logIdsOf = (request: Request): readonly string[] => {
  const logIds = (request.query('log_ids') ?? '').split(',')
  if (logIds.length > SAGAS_MAX || !logIds.every(isIdentifier))
    throw new MalformedError('log_ids', `"log_ids" must be up to ${SAGAS_MAX} log ids, separated by commas`)
  return logIds
}

/** A cursor of Redis has 64 bits. */
const cursorOf = (request: Request): string => {
  const cursor = request.query('cursor') ?? '0'
  if (!/^\d{1,20}$/.test(cursor) || BigInt(cursor) >= 2n ** 64n)
    throw new MalformedError('cursor', '"cursor" must be one that was answered')
  return cursor
}

export const auditRoutes = ({ prefix, auditor, accounts, tell }: AuditRoutes): readonly Route[] => [
  {
    method: 'GET',
    path: `${prefix}/audit`,
    operator: true,
    handler: async () => ({ json: await tell(await auditor.count()) }),
  },
  {
    method: 'GET',
    path: `${prefix}/audit/cut`,
    operator: true,
    handler: async () => {
      const { at, books, heard } = await auditor.cut()
      return {
        json: { at, heard, ...Object.fromEntries(accounts.map((account) => [account, String(books(account))])) },
      }
    },
  },
  {
    method: 'GET',
    path: `${prefix}/audit/sagas`,
    operator: true,
    handler: async (request) => {
      const at = parseEntryId(request.query('at') ?? '', 'at')
      return { json: { sagas: await auditor.sagasAt(at, logIdsOf(request)) } }
    },
  },
  {
    method: 'GET',
    path: `${prefix}/audit/records`,
    operator: true,
    handler: async (request) => {
      if (request.query('log_ids') !== undefined) return { json: { records: await auditor.records(logIdsOf(request)) } }
      return { json: await auditor.recordsPage(cursorOf(request)) }
    },
  },
]
