/** What is refused where a document is asked for? */
import { problemKind } from '../../shared/http/problem.ts'

export const noSuchInvoice = problemKind(404, 'no-such-invoice', 'Unknown invoice', (number: string) => ({
  detail: `there is no invoice "${number}"`,
  number,
}))

export const noSuchCreditNote = problemKind(404, 'no-such-credit-note', 'Unknown credit note', (number: string) => ({
  detail: `there is no credit note "${number}"`,
  number,
}))
