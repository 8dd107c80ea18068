/**
 * What does this replica know of the locks, in case ids' Redis forgets?
 *
 * Each lease that holds, and until when: from what the replica's own commands returned, and from the log that it follows, so also
 * of what other replicas granted. What a client is told is known before it is told, whoever granted it. A command says which
 * entry the replica has *seen* last; a Redis that lacks it came back older, and does nothing. Then what it has forgotten is what
 * was granted or renewed after the newest entry that it still has before that one.
 */
import { field, kindOf, type RawEntry } from '../../shared/contract/raw-entry.ts'
import { TransientMap } from '../../shared/process/transient-map.ts'
import { keyIn } from './keys.ts'

/** A lease that holds, as far as is known. Its end is a moment of the Redis' clock. */
export type Known = {
  readonly lock: string
  readonly lease: string
  readonly token: number
  readonly owner: string
  readonly untilMs: number
  /** The entry by which it was granted, or renewed last. */
  readonly entry: string
}

export type Knowledge = {
  /** The newest entry that this replica knows to be in the log; `''` if it knows none. */
  readonly seen: () => string
  readonly onEntry: (entry: RawEntry) => void
  /** The log is followed from here on: the newest entry of those that were followed that is left. */
  readonly onResumed: (left: string) => void
  /** What a command has returned. */
  readonly onGranted: (known: Known) => void
  /** What a command has found to hold; `entry` need not be in the log, but comes behind the one by which it does. */
  readonly onFound: (known: Known) => void
  /** The newest entry that a command has appended. */
  readonly onAppended: (entry: string) => void
  /** The log ends here: where it was found to end, or what is left of it. */
  readonly reset: (entry: string) => void
  /** What holds, as far as is known, that was granted or renewed after this entry. */
  readonly since: (entry: string) => readonly Known[]
  /** The greatest token that was seen. */
  readonly token: () => number
}

/** What an entry does to the lease that it is about. */
const CHANGES: ReadonlyMap<string, 'holds' | 'ends'> = new Map([
  ['LockGranted', 'holds'],
  ['LockRenewed', 'holds'],
  ['LockReleased', 'ends'],
  ['LockExpired', 'ends'],
  ['LockForced', 'ends'],
])

type Compare = (a: string, b: string) => number

/** @param compare how two ids of entries are compared */
export const openKnowledge = (compare: Compare): Knowledge => {
  const holding = new TransientMap<Known>()
  let seen = ''
  let followed = ''
  /** Behind this entry all was followed. */
  let followedSince = ''
  let greatest = 0

  const onAppended = (entry: string): void => {
    if (entry !== '' && (seen === '' || compare(entry, seen) > 0)) seen = entry
  }
  const onGranted = (known: Known): void => {
    const key = `${known.lock}/${known.lease}`
    const before = holding.get(key)
    greatest = Math.max(greatest, known.token)
    // A reply may be read after an entry that came later.
    if (before === undefined || compare(before.entry, known.entry) <= 0) holding.set(key, known)
  }

  /** Also what became of it since: under a key a lease may be returned that has ended long ago. */
  const wasFollowed = (entry: string): boolean =>
    followedSince !== '' && compare(entry, followedSince) > 0 && compare(entry, followed) <= 0

  return {
    seen: () => seen,
    onAppended,
    onGranted: (known) => {
      onAppended(known.entry)
      if (!wasFollowed(known.entry)) onGranted(known)
    },
    onFound: onGranted,
    onEntry: (entry) => {
      const [id] = entry
      // What was seen is followed before what came after it. Else it is forgotten, which only a command finds out that still names it.
      const isForgotten = seen !== '' && compare(followed, seen) < 0 && compare(id, seen) > 0
      if (!isForgotten) {
        onAppended(id)
        followed = id
      }
      const change = CHANGES.get(kindOf(entry) ?? '')
      if (change === undefined) return
      const key = keyIn(entry)
      if (change === 'ends') return holding.delete(key)
      if (holding.get(key)?.entry === id) return // a command has returned it
      onGranted({
        lock: field(entry, 'lock') ?? '',
        lease: field(entry, 'log_id') ?? '',
        token: Number(field(entry, 'token') ?? '0'),
        owner: decodeURIComponent(field(entry, 'owner') ?? ''),
        untilMs: Number(field(entry, 'until') ?? '0'),
        entry: id,
      })
    },
    onResumed: (left) => {
      followed = left
      followedSince ||= left
    },
    reset: (entry) => {
      seen = entry === '0-0' ? '' : entry
      for (const [key, known] of holding) if (compare(known.entry, entry) > 0) holding.delete(key)
    },
    since: (entry) => [...holding].map(([, known]) => known).filter((known) => compare(known.entry, entry) > 0),
    token: () => greatest,
  }
}
