/**
 * What does an unfinished checkout mean to order, and what repairs it?
 *
 * A checkout is unfinished here until it is paid or failed, or cancelled and undone by payment. The table says
 * which repair each combination of facts calls for; its test walks them all.
 */
import type { RecoveryTable } from '../shared/saga/log-parser.ts'

export type Facts = {
  /** What the saga's record says; `decided` stands for every state that needs nothing more, `absent` for no record. */
  readonly state: 'checking-out' | 'cancelling' | 'decided' | 'absent'
  readonly deadline: 'ahead' | 'past'
  /** Has nothing been said of it for longer than an answer takes? */
  readonly silent: 'no' | 'yes'
  /** Has payment read what was said of it last? */
  readonly heard: 'no' | 'yes'
}

export type Repair = 'wait' | 'tell-again' | 'cancel' | 'drop'

export const table: RecoveryTable<Facts, Repair> = [
  // Left in the index, but nothing is to be done: the index is what is wrong.
  [{ state: 'absent' }, 'drop'],
  [{ state: 'decided' }, 'drop'],
  // Nobody decided in time, so order decides. The replica whose request waited would have; it must be gone.
  [{ state: 'checking-out', deadline: 'past' }, 'cancel'],
  // An answer may be on its way.
  [{ silent: 'no' }, 'wait'],
  // Payment will read it: its cursor cannot be lost without going back.
  [{ heard: 'no' }, 'wait'],
  // Read, and no answer arrived: said again, it is answered again.
  [{ heard: 'yes' }, 'tell-again'],
]
