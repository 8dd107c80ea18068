/** How is an open order changed? */
import type { WantedVersions } from '../../shared/http/etag.ts'
import type { Runner } from '../../shared/log/runner.ts'
import type { ResultOnce } from '../../shared/redis/command.ts'
import type { Once } from '../../shared/redis/script.ts'
import type { Dependencies } from '../../shared/service.ts'
import { changeOnce } from '../amend/commands.ts'
import type { Changed } from '../change/change.ts'
import { listed } from '../costs.ts'

/** A change of an order that has one of these versions and was not changed since a time (in ms), if it is as it was read. */
export type Change = {
  readonly order: string
  readonly from: WantedVersions
  readonly since: number | undefined
  /** Its version as it was read, and what it is to become; nothing if it could not be changed as it was read. */
  readonly read: number
  readonly changed: Changed | undefined
}

export type ChangeStore = {
  readonly change: (change: Change, once: Once) => Promise<ResultOnce<typeof changeOnce>>
}

export type ChangeStoreOptions = Pick<Dependencies, 'identifiers'> & { readonly runOnce: Runner['runOnce'] }

export const openChangeStore = ({ identifiers, runOnce }: ChangeStoreOptions): ChangeStore => ({
  change: ({ order, from, since = '', read, changed }, once) => {
    const versions = from === 'any' ? from : from.join(' ')
    const known = { log_id: identifiers.next(), order, versions, since, read }
    if (changed === undefined) return runOnce(changeOnce, known, once)
    const { lines, costs, total } = changed
    return runOnce(changeOnce, { ...known, total, lines: listed(lines), costs: listed(costs) }, once)
  },
})
