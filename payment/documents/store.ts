/**
 * How are documents found?
 *
 * They are issued by the scripts that move captured money (`lua/series.lua`). By user and by order they are found in an
 * index, which follows the series: a command enters what was issued since and moves a cursor in the same step. It is run now
 * and then, and before the index is asked, so that what is answered is whole.
 */
import type { Logger } from 'pino'
import { isTransient, UnavailableError } from '../../shared/errors.ts'
import type { Log } from '../../shared/log/log.ts'
import { runner } from '../../shared/log/runner.ts'
import type { ResultOnce } from '../../shared/redis/command.ts'
import { fields, list, query, text, tuple } from '../../shared/redis/reply.ts'
import type { Once, Reply } from '../../shared/redis/script.ts'
import { confirmSeries, indexDocuments } from './commands.ts'
import { type CreditNote, creditNotes, type Draft, type Invoice, invoices, type Kind, readDraft } from './document.ts'
import type { Told } from './series.ts'

export type Wanted = {
  readonly user: string | undefined
  readonly order: string | undefined
  /** The number of the last document that was read, if any was. */
  readonly after: string | undefined
  readonly limit: number
}

export type Documents<Document, Listed = Document> = {
  readonly find: (number: string) => Promise<Document | undefined>
  /** The oldest first, and after which one the next page begins, if there may be one. @throws UnavailableError */
  readonly list: (wanted: Wanted) => Promise<{ readonly documents: readonly Listed[]; readonly next: string | null }>
}

/** A script of this size keeps Redis for half a millisecond. */
const INDEX_PAGE = 128
/** How many entries are applied that have issued something before the index follows: a tenth of a second's work. */
const INDEX_EVERY = 1_024
/** The most pages that a request waits for: a quarter of a second. */
const INDEX_PAGES_MAX = 500

const listDocuments = query('list-documents', ['kind', 'user', 'order', 'after', 'count'], list(tuple(text, fields)))
const checkSeries = query('check-series', ['first'], list(tuple(text, text, text, text, text, text)))
const findDocument = query('find-document', ['kind', 'place'], fields)
const findDraft = query('find-draft', ['order'], fields)

/** @throws UnavailableError if there is more to enter than may be waited for */
const index = async (log: Log, { name }: Kind<unknown>): Promise<void> => {
  for (let page = 0; page < INDEX_PAGES_MAX; page += 1) {
    const [result] = await runner(log).run(indexDocuments, { kind: name, page: INDEX_PAGE })
    if (result === 'indexed') return
  }
  throw new UnavailableError('the index of documents is still being made', { nothingDone: true })
}

const openDocuments = <Document extends Pick<Invoice, 'number' | 'user_id'>>(
  log: Log,
  kind: Kind<Document>,
  shown: Pick<Told, 'remember'>,
): Documents<Document> => {
  const { ask } = runner(log)
  const { name, letter, read } = kind
  const show = (place: string, said: Readonly<Record<string, string>>): Document => {
    const document = read(letter + place, said)
    shown.remember(document.number)
    return document
  }
  return {
    find: async (number) => {
      const place = number.slice(letter.length)
      const said = await ask(findDocument, { kind: name, place })
      return said.at === undefined ? undefined : show(place, said)
    },
    list: async ({ user = '', order = '', after = `${letter}0-0`, limit }) => {
      if (user !== '' || order !== '') await index(log, kind)
      const place = after.slice(letter.length)
      // One more tells whether there is another page.
      const found = await ask(listDocuments, { kind: name, user, order, after: place, count: limit + 1 })
      const documents = found
        .slice(0, limit)
        .map(([at, said]) => show(at, said))
        .filter(({ user_id }) => user === '' || user_id === user)
      return { documents, next: found.length > limit ? `${letter}${found[limit - 1]?.[0]}` : null }
    },
  }
}

/** How many documents of a kind a series has, and the last number that was given in it: the same, if none is missing. */
type Count = { readonly count: number; readonly last: number }
export type Series = {
  readonly series: number
  readonly invoices: Count
  readonly credit_notes: Count
  /** When it ended, and why, and which numbers are known to have been told last; `null` of the present one. */
  readonly ended: { readonly at: string; readonly why: string; readonly told: readonly string[] } | null
}

const endOf = (ended: string): Series['ended'] => {
  if (ended === '') return null
  const [ms, why = '', ...told] = ended.split(',')
  return { at: new Date(Number(ms)).toISOString(), why, told: told.filter((number) => number !== '') }
}

const allSeries = async (log: Log): Promise<readonly Series[]> => {
  const found = await runner(log).ask(checkSeries, { first: 1 })
  return found.map(([series, count, last, notes, lastNote, ended]) => ({
    series: Number(series),
    invoices: { count: Number(count), last: Number(last) },
    credit_notes: { count: Number(notes), last: Number(lastNote) },
    ended: endOf(ended),
  }))
}

/** Has the index follow after so many replies to entries, so that no request finds it far behind. */
const indexNowAndThen = (log: Log, logger: Logger): ((reply: Reply) => void) => {
  let issued = 0
  return ([result]) => {
    if (result === 'captured' || result === 'refunded') issued += 1
    if (issued < INDEX_EVERY) return
    issued = 0
    Promise.all([index(log, invoices), index(log, creditNotes)]).catch((error: unknown) => {
      if (!isTransient(error)) throw error
      logger.debug({ err: error }, 'the index of documents follows later')
    })
  }
}

/** Has the list of an order's invoices end with its draft. */
const withDraft = (log: Log, invoices: Documents<Invoice>): Documents<Invoice, Invoice | Draft> => {
  const { ask } = runner(log)
  return {
    find: invoices.find,
    list: async (wanted) => {
      // First: what is issued meanwhile is listed twice rather than not at all.
      const { order = '', user = '' } = wanted
      const draft = order === '' ? undefined : readDraft(order, await ask(findDraft, { order }))
      const { documents, next } = await invoices.list(wanted)
      const isWanted = draft !== undefined && (user === '' || draft.user_id === user) && next === null
      return { documents: isWanted ? [...documents, draft] : documents, next }
    },
  }
}

export type DocumentStore = {
  readonly invoices: Documents<Invoice, Invoice | Draft>
  readonly creditNotes: Documents<CreditNote>
  /** All series, the oldest first. */
  readonly series: () => Promise<readonly Series[]>
  /** Begins the next one, as a person wishes. */
  readonly beginSeries: (once: Once) => Promise<ResultOnce<typeof confirmSeries>>
  /** Called with each reply to a peer's entry, after it was applied. */
  readonly onApplied: (reply: Reply) => void
}

/** `shown` remembers the numbers that are shown. */
export const openDocumentStore = (log: Log, shown: Pick<Told, 'remember'>, logger: Logger): DocumentStore => ({
  invoices: withDraft(log, openDocuments(log, invoices, shown)),
  creditNotes: openDocuments(log, creditNotes, shown),
  series: () => allSeries(log),
  beginSeries: (once) => runner(log).runOnce(confirmSeries, { invoice: '', credit_note: '', lost: 'operator' }, once),
  onApplied: indexNowAndThen(log, logger),
})
