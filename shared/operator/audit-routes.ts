/**
 * How do operators ask a service for its part of an audit?
 *
 * - `GET {prefix}/audit` counts all that the service owns and holds it against its books: seconds, if there is much.
 * - `GET {prefix}/audit/cut` is what the books say now, which entry of the log is the newest, up to where neighbours were
 *   heard, and which kinds of their entries matter.
 * - `GET {prefix}/audit/sagas?at=&log_ids=` is what was last said of these sagas when that entry was the newest.
 * - `GET {prefix}/audit/records?log_ids=` or `?cursor=` is what is recorded of these sagas now, or of one page of all.
 * - `GET {prefix}/audit/absent?ids=` is which of these users or items there are not.
 *
 * Sums are told as text: they may exceed what a JSON number holds.
 */
import { type Auditor, type Count, SAGAS_MAX } from '../audit/auditor.ts'
import { isIdentifier } from '../contract/events.ts'
import { MalformedError } from '../errors.ts'
import type { Request } from '../http/request.ts'
import type { Route } from '../http/route.ts'
import { parseEntryId } from '../log/entry.ts'

export type AuditRoutes = {
  readonly prefix: string
  readonly auditor: Auditor
  /** The accounts of the service's books. */
  readonly accounts: readonly string[]
  /** What is told of a count. */
  readonly tell: (count: Count) => Promise<Readonly<Record<string, unknown>>>
}

const idsOf = (request: Request, name: 'ids' | 'log_ids'): readonly string[] => {
  const ids = (request.query(name) ?? '').split(',')
  if (ids.length > SAGAS_MAX || !ids.every(isIdentifier))
    throw new MalformedError(name, `"${name}" must be up to ${SAGAS_MAX} ids, separated by commas`)
  return ids
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
      const { at, books, heard, hears } = await auditor.cut()
      return {
        json: { at, heard, hears, ...Object.fromEntries(accounts.map((account) => [account, String(books(account))])) },
      }
    },
  },
  {
    method: 'GET',
    path: `${prefix}/audit/sagas`,
    operator: true,
    handler: async (request) => {
      const at = parseEntryId(request.query('at') ?? '', 'at')
      return { json: { sagas: await auditor.sagasAt(at, idsOf(request, 'log_ids')) } }
    },
  },
  {
    method: 'GET',
    path: `${prefix}/audit/records`,
    operator: true,
    handler: async (request) => {
      if (request.query('log_ids') !== undefined)
        return { json: { records: await auditor.records(idsOf(request, 'log_ids')) } }
      return { json: await auditor.recordsPage(cursorOf(request)) }
    },
  },
  {
    method: 'GET',
    path: `${prefix}/audit/absent`,
    operator: true,
    handler: async (request) => ({ json: { absent: await auditor.absent(idsOf(request, 'ids')) } }),
  },
]
