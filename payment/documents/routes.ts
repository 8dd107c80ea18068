/** HTTP in, results out: the routes of documents. */
import { unreachable } from '../../shared/errors.ts'
import { keyReused } from '../../shared/http/problems.ts'
import type { Handlers } from '../../shared/http/route.ts'
import type { api } from './api.ts'
import { noSuchCreditNote, noSuchInvoice } from './problems.ts'
import type { DocumentStore } from './store.ts'

export const handlersOf = ({ invoices, creditNotes, series, beginSeries }: DocumentStore): Handlers<typeof api> => ({
  listInvoices: async ({ query }) => ({ json: await invoices.list(query) }),
  findInvoice: async ({ params: { number } }) => {
    const found = await invoices.find(number)
    return found ? { json: found } : { problem: noSuchInvoice(number) }
  },
  listCreditNotes: async ({ query }) => ({ json: await creditNotes.list(query) }),
  findCreditNote: async ({ params: { number } }) => {
    const found = await creditNotes.find(number)
    return found ? { json: found } : { problem: noSuchCreditNote(number) }
  },
  listSeries: async () => ({ json: { series: await series() } }),
  beginSeries: async (request) => {
    const result = await beginSeries(request)
    switch (result[0]) {
      case 'raised':
      case 'confirmed':
        return { json: { series: Number(result[1]) } }
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return unreachable('payment.series', result)
    }
  },
})
