/**
 * Which locks are wanted?
 *
 * Locks are gone through by name, a page at a time, and each is looked at; so many pages at most for one request, which is told where the
 * next goes on.
 */
import type { Mode } from './lease.ts'
import type { Lock } from './read-lock.ts'
import { stateOf } from './shown.ts'
import type { Verbs } from './verbs.ts'

/** How many locks one script shows. */
const PAGE = 100
const PAGES_MAX = 100

export type Wanted = {
  /** Globs: `*` is any text. */
  readonly name?: string | undefined
  readonly owner?: string | undefined
  readonly state?: 'held' | 'free' | 'contested' | undefined
  readonly mode?: Mode | undefined
  readonly expires_before_ms?: number | undefined
  readonly expires_after_ms?: number | undefined
  /** `name=value`, of a holder. */
  readonly meta?: string | undefined
  readonly waiters: boolean
  readonly count: boolean
  readonly limit: number
  readonly after?: string | undefined
}

export type Page = {
  readonly locks: readonly Lock[]
  /** Pass it as `after`. */
  readonly next: string | null
  /** How many there are, if they were counted. */
  readonly total: number | undefined
}

/** Whether a text is as a glob says, in which `*` stands for any text. */
export const fitsGlob = (glob: string): ((text: string) => boolean) => {
  const pieces = glob.split('*')
  const first = pieces[0] ?? ''
  const last = pieces.at(-1) ?? ''
  if (pieces.length === 1) return (text) => text === glob
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false
    let at = first.length
    for (const piece of pieces.slice(1, -1)) {
      const found = text.indexOf(piece, at)
      if (found === -1 || found + piece.length > text.length - last.length) return false
      at = found + piece.length
    }
    return true
  }
}

const isInState = (lock: Lock, state: Wanted['state']): boolean => {
  if (state === undefined) return true
  if (state === 'contested') return lock.waiterCount > 0
  return (stateOf(lock) === 'held') === (state === 'held')
}

/** What of a holder is wanted, if anything is. */
const holderFilter = (wanted: Wanted): ((lock: Lock) => boolean) => {
  const { owner, expires_before_ms: before, expires_after_ms: after, meta } = wanted
  if (owner === undefined && before === undefined && after === undefined && meta === undefined) return () => true
  const isOwner = fitsGlob(owner ?? '*')
  const at = meta?.indexOf('=') ?? 0
  return ({ holders }) =>
    holders.some(
      (holder) =>
        (owner === undefined || (holder.owner !== null && isOwner(holder.owner))) &&
        (before === undefined || holder.expiresInMs <= before) &&
        (after === undefined || holder.expiresInMs >= after) &&
        (meta === undefined || holder.metadata[meta.slice(0, at)] === meta.slice(at + 1)),
    )
}

const filterOf = (wanted: Wanted): ((lock: Lock) => boolean) => {
  const isNamed = fitsGlob(wanted.name ?? '*')
  const hasHolder = holderFilter(wanted)
  return (lock) =>
    isNamed(lock.name) &&
    isInState(lock, wanted.state) &&
    (wanted.mode === undefined || lock.mode === wanted.mode) &&
    hasHolder(lock)
}

/** A page of the locks that are wanted. @throws UnavailableError */
export const listLocks = async ({ list }: Pick<Verbs, 'list'>, wanted: Wanted): Promise<Page> => {
  const isWanted = filterOf(wanted)
  const chosen: Lock[] = []
  let after = wanted.after ?? ''
  let total = 0
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page = await list(after, PAGE, wanted.waiters)
    for (const lock of page.filter(isWanted)) {
      total += 1
      if (chosen.length <= wanted.limit) chosen.push(lock)
    }
    if (page.length < PAGE || (!wanted.count && chosen.length > wanted.limit)) {
      const shown = chosen.slice(0, wanted.limit)
      const next = chosen.length > wanted.limit ? (shown.at(-1)?.name ?? null) : null
      return { locks: shown, next, total: wanted.count ? total : undefined }
    }
    after = page.at(-1)?.name ?? ''
  }
  const shown = chosen.slice(0, wanted.limit)
  const next = chosen.length > wanted.limit ? (shown.at(-1)?.name ?? null) : after
  return { locks: shown, next, total: wanted.count ? total : undefined }
}
