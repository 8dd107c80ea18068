/**
 * What becomes of ends that clients were answered, and that this Redis has forgotten?
 *
 * Each is upheld: made true again as far as that can be, else the checkout is contradicted, and a person resolves it.
 */
import type { LogEntry } from '../../shared/log/entry.ts'
import type { LogOptions } from '../../shared/log/log.ts'
import type { Runner } from '../../shared/log/runner.ts'
import type { Dependencies } from '../../shared/service.ts'
import { uphold } from '../commands.ts'
import { type Decisions, TOLD } from './decisions.ts'

export type UpholdOptions = Pick<Dependencies, 'catchUp'> &
  Pick<Decisions, 'decisionIn'> & {
    readonly run: Runner['run']
  }

/** The function that is returned gives back the entries that are to be listed as lost. */
export const upholding = ({ run, catchUp, decisionIn }: UpholdOptions): NonNullable<LogOptions<'order'>['uphold']> => {
  /** Upholds what was answered about a checkout. @returns whether it is as it was answered, without that. */
  const isUpheld = async ({ kind, log_id, facts }: LogEntry): Promise<boolean> => {
    const { order = '', user = '', total = '0' } = facts
    const result = await run(uphold, { log_id, order, user, total, told: TOLD.get(kind) ?? '' })
    decisionIn(result)
    return result[0] === 'kept'
  }

  /** First those whose client was answered that nothing is charged, before it can be; what was paid is rebuilt once payment's log
   * has been applied. */
  return async (gone) => {
    const ends = gone.filter(({ kind }) => TOLD.has(kind))
    const { paid = [], unpaid = [] } = Object.groupBy(ends, ({ kind }) =>
      TOLD.get(kind) === 'paid' ? 'paid' : 'unpaid',
    )
    const kept = new Set<LogEntry>()
    for (const end of unpaid) if (await isUpheld(end)) kept.add(end)
    if (paid.length > 0) await catchUp()
    for (const end of paid) if (await isUpheld(end)) kept.add(end)
    return gone.filter((entry) => !kept.has(entry))
  }
}
