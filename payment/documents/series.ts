/**
 * Which numbers were told that this Redis does not know?
 *
 * A number that was told is never given again. A Redis that came back older does not know which it has given since, so before
 * anything is captured again the witnesses are asked (`shared/log/confirmation.ts`): order's log, in which order writes each number with
 * the entry that makes it known; this process, of what it has shown; and the cursors, which tell of any loss. If one of them
 * knows more than this Redis, the next series begins, behind the last one that anybody knows of.
 */
import type { Logger } from 'pino'
import { field } from '../../shared/contract/raw-entry.ts'
import type { ConfirmationOptions } from '../../shared/log/confirmation.ts'
import type { Runner } from '../../shared/log/runner.ts'
import { confirmSeries } from './commands.ts'
import { creditNotes, invoices, type Kind, laterNumber, numberForm } from './document.ts'

/** The last number of each kind that somebody knows of. */
export type Told = {
  readonly remember: (number: string | undefined) => void
  readonly last: (kind: Pick<Kind<unknown>, 'letter'>) => string
}

const FORMS = [invoices, creditNotes].map((kind) => [kind.letter, numberForm(kind)] as const)

/** Remembers numbers; what is none is passed over. */
export const openTold = (before?: Told): Told => {
  const last = new Map<string, string>(FORMS.map(([letter]) => [letter, before?.last({ letter }) ?? '']))
  return {
    remember: (number = '') => {
      for (const [letter, form] of FORMS)
        if (form.test(number)) last.set(letter, laterNumber(last.get(letter) ?? '', number))
    },
    last: ({ letter }) => last.get(letter) ?? '',
  }
}

/** The facts by which order's entries make numbers known. */
const FACTS = ['invoice', 'note'] as const

/** Has the series confirmed, or the next one begun. `shown` are the numbers that this process has told itself. */
export const confirming =
  (run: Runner['run'], shown: Told, logger: Logger): ConfirmationOptions['confirm'] =>
  async ({ lost, unapplied }) => {
    const told = openTold(shown)
    await unapplied('order', (entry) => {
      // A refund names each invoice that it takes back.
      for (const fact of FACTS) for (const number of (field(entry, fact) ?? '').split(',')) told.remember(number)
    })
    const args = { invoice: told.last(invoices), credit_note: told.last(creditNotes), lost }
    const [result, series] = await run(confirmSeries, args)
    if (result === 'raised')
      logger.error({ ...args, series }, 'numbers of documents may be lost: the next series has begun')
    if (result === 'renewed')
      logger.info({ series }, 'the series of an older version has ended: the next one has begun')
  }
