/** HTTP in, results out: the routes of documents. */
import { unreachable } from '../../shared/errors.ts'
import { isAnothers } from '../../shared/http/owner.ts'
import { keyReused } from '../../shared/http/problems.ts'
import type { Handlers } from '../../shared/http/route.ts'
import type { api } from './api.ts'
import { noSuchCreditNote, noSuchInvoice } from './problems.ts'
import type { DocumentStore, Documents, Wanted } from './store.ts'

const NO_DOCUMENTS = { documents: [], next: null } as const

/** A page of documents; a customer has its own. */
const listFor = async <Document>(
  owner: string | undefined,
  wanted: Wanted,
  { list }: Pick<Documents<Document>, 'list'>,
): ReturnType<Documents<Document>['list']> => {
  const user = wanted.user ?? owner
  if (isAnothers(user, owner)) return NO_DOCUMENTS
  const page = await list({ ...wanted, user })
  // Of another's order there may be more: that is not told.
  return owner !== undefined && page.documents.length === 0 ? NO_DOCUMENTS : page
}

export const handlersOf = ({ invoices, creditNotes, series, beginSeries }: DocumentStore): Handlers<typeof api> => ({
  listInvoices: async ({ query, owner }) => ({ json: await listFor(owner, query, invoices) }),
  findInvoice: async ({ params: { number }, owner }) => {
    const found = await invoices.find(number)
    return found && !isAnothers(found.user_id, owner) ? { json: found } : { problem: noSuchInvoice(number) }
  },
  listCreditNotes: async ({ query, owner }) => ({ json: await listFor(owner, query, creditNotes) }),
  findCreditNote: async ({ params: { number }, owner }) => {
    const found = await creditNotes.find(number)
    return found && !isAnothers(found.user_id, owner) ? { json: found } : { problem: noSuchCreditNote(number) }
  },
  listSeries: async () => ({ json: { series: await series() } }),
  beginSeries: async (request) => {
    const result = await beginSeries(request)
    switch (result[0]) {
      case 'raised':
      case 'renewed':
      case 'confirmed':
        return { json: { series: Number(result[1]) } }
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return unreachable('payment.series', result)
    }
  },
})
