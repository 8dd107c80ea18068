/**
 * What does an unfinished checkout mean to payment, and what repairs it?
 *
 * A checkout is unfinished here while it waits for money that another one holds, or while its own money is held and stock
 * has not answered. The table says which repair each combination of facts calls for; its test walks them all.
 */
import type { RecoveryTable } from '../shared/saga/log-parser.ts'

export type Facts = {
  /** What the saga's record says; `decided` stands for every state that needs nothing more, `absent` for no record. */
  readonly state: 'waiting' | 'held' | 'decided' | 'absent'
  /** Has nothing been said of it for longer than an answer takes? */
  readonly silent: 'no' | 'yes'
  /** Has stock read what was said of it last? */
  readonly heard: 'no' | 'yes'
}

/** `tell-again` says the last answer again, or looks once more whether one that waits can be answered. */
export type Repair = 'wait' | 'tell-again' | 'drop'

export const table: RecoveryTable<Facts, Repair> = [
  // Left in the index, but nothing is to be done: the index is what is wrong.
  [{ state: 'absent' }, 'drop'],
  [{ state: 'decided' }, 'drop'],
  // An answer may be on its way.
  [{ silent: 'no' }, 'wait'],
  // The wallet's queue moves by itself; look once more in case it did not.
  [{ state: 'waiting' }, 'tell-again'],
  // Stock will read it: its cursor cannot be lost without going back.
  [{ state: 'held', heard: 'no' }, 'wait'],
  // Stock has read it and its answer did not arrive: it will answer again.
  [{ state: 'held', heard: 'yes' }, 'tell-again'],
]
