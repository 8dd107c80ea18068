/** What can be asked of documents? */
import * as v from 'valibot'
import { identifier, integer } from '../../shared/contract/fields.ts'
import { PAGE_MAX } from '../../shared/contract/queries.ts'
import { keyReused } from '../../shared/http/problems.ts'
import type { Rows } from '../../shared/http/route.ts'
import { creditNotes, invoices, type Kind, numberForm } from './document.ts'
import { noSuchCreditNote, noSuchInvoice } from './problems.ts'

const numberOf = (kind: Kind<unknown>, what: string) => {
  const must = `be the number of ${what}, as ${kind.letter}1-17`
  return v.pipe(v.string(must), v.regex(numberForm(kind), must))
}
const invoiceNumber = numberOf(invoices, 'an invoice')
const creditNoteNumber = numberOf(creditNotes, 'a credit note')

const document = {
  at: v.string(),
  order_id: v.string(),
  user_id: v.string(),
  total: v.number(),
  lines: v.array(v.tuple([v.string(), v.number()])),
  log_id: v.string(),
}
const invoice = v.object({ number: v.string(), status: v.literal('issued'), ...document })
const draft = v.object({
  number: v.null(),
  status: v.picklist(['draft', 'void']),
  order_version: v.number(),
  ...document,
})
const creditNote = v.object({
  number: v.string(),
  ...document,
  invoice: v.nullable(v.string()),
  invoices: v.array(v.string()),
})
const count = v.object({ count: v.number(), last: v.number() })

/** Whose documents are wanted, and how many of them. */
const ofWhom = {
  order: v.optional(identifier),
  user: v.optional(identifier),
  limit: v.optional(integer(1, PAGE_MAX), '100'),
}

export const api = {
  listInvoices: {
    method: 'GET',
    path: '/payment/invoices',
    summary: 'Lists invoices, the oldest first; those of an order with the draft, if it has one',
    query: { ...ofWhom, after: v.optional(invoiceNumber) },
    answers: {
      200: { json: v.object({ documents: v.array(v.union([invoice, draft])), next: v.nullable(v.string()) }) },
    },
    problems: [],
    repeatable: 'as-it-is',
    scope: 'customer',
  },
  findInvoice: {
    method: 'GET',
    path: '/payment/invoices/{number}',
    summary: 'Shows an invoice',
    params: { number: invoiceNumber },
    answers: { 200: { json: invoice } },
    problems: [noSuchInvoice],
    repeatable: 'as-it-is',
    scope: 'customer',
  },
  listCreditNotes: {
    method: 'GET',
    path: '/payment/credit-notes',
    summary: 'Lists credit notes, the oldest first',
    query: { ...ofWhom, after: v.optional(creditNoteNumber) },
    answers: { 200: { json: v.object({ documents: v.array(creditNote), next: v.nullable(v.string()) }) } },
    problems: [],
    repeatable: 'as-it-is',
    scope: 'customer',
  },
  findCreditNote: {
    method: 'GET',
    path: '/payment/credit-notes/{number}',
    summary: 'Shows a credit note, with the invoices that it takes back',
    params: { number: creditNoteNumber },
    answers: { 200: { json: creditNote } },
    problems: [noSuchCreditNote],
    repeatable: 'as-it-is',
    scope: 'customer',
  },
  listSeries: {
    method: 'GET',
    path: '/payment/series',
    summary: 'Lists the series of documents, and how many each has',
    answers: {
      200: {
        json: v.object({
          series: v.array(
            v.object({
              series: v.number(),
              invoices: count,
              credit_notes: count,
              ended: v.nullable(v.object({ at: v.string(), why: v.string(), told: v.array(v.string()) })),
            }),
          ),
        }),
      },
    },
    problems: [],
    repeatable: 'as-it-is',
    scope: 'operator',
  },
  beginSeries: {
    method: 'POST',
    path: '/payment/series',
    summary: 'Begins the next series of documents, after a backup was put back',
    answers: { 200: { json: v.object({ series: v.number() }) } },
    problems: [keyReused],
    repeatable: 'under-a-key',
    scope: 'operator',
  },
} as const satisfies Rows
