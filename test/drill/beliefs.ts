/**
 * Did programs take turns under their locks?
 *
 * A *belief* is the time in which a program held a lock for its own: from the answer that granted it until it released it, or
 * could not know any more that it holds it. Of one lock no more may believe at once than there are places, and whoever begins to
 * when another one has ended has a greater token. What a lock protects is a *register*: no write may bear an older token than one
 * that was written before it.
 */
import { groupedBy } from '../support/checker/history.ts'

export type Belief = {
  readonly lock: string
  readonly program: string
  readonly token: number
  /** Of `performance.now()`. */
  readonly from: number
  readonly until: number
}

/** A write under a token, from when it was sent until it was known to be done. */
export type Write = {
  readonly lock: string
  readonly program: string
  readonly token: number
  readonly from: number
  readonly until: number
  /** What the register said of it, if that is known. */
  readonly end: 'done' | 'refused' | 'unknown'
}

const byBeginning = (one: { from: number }, other: { from: number }): number => one.from - other.from
const byEnd = (one: { until: number }, other: { until: number }): number => one.until - other.until

const told = ({ program, token }: { program: string; token: number }): string => `${program} (token ${token})`

/** Who believed beside others for whom there was a place, a sentence each. */
export const crowded = (beliefs: readonly Belief[], placesOf: (lock: string) => number): readonly string[] =>
  [...groupedBy(beliefs, ({ lock }) => lock)].flatMap(([lock, all]) => {
    let holding: Belief[] = []
    return all.toSorted(byBeginning).flatMap((belief) => {
      holding = [...holding.filter(({ until }) => until > belief.from), belief]
      if (holding.length <= placesOf(lock)) return []
      return [`${holding.map(told).join(' and ')} held ${lock} at once`]
    })
  })

/** Whose token was not greater than those of all who had ended before it began, a sentence each. */
const outOfOrder = <Event extends Belief | Write>(
  events: readonly Event[],
  what: string,
  isWrong: (before: Event, event: Event) => boolean,
): readonly string[] =>
  [...groupedBy(events, ({ lock }) => lock)].flatMap(([lock, all]) => {
    const ending = all.toSorted(byEnd)
    let greatest: Event | undefined
    let ended = 0
    return all.toSorted(byBeginning).flatMap((event) => {
      for (let next = ending[ended]; next && next.until <= event.from && next !== event; next = ending[ended]) {
        if (greatest === undefined || next.token > greatest.token) greatest = next
        ended += 1
      }
      if (greatest === undefined || !isWrong(greatest, event)) return []
      return [`${told(event)} ${what} ${lock} after ${told(greatest)}`]
    })
  })

/** Who was given a token that was not greater than one of before. */
export const tokensFallen = (beliefs: readonly Belief[]): readonly string[] =>
  outOfOrder(beliefs, 'got', (before, { token }) => token <= before.token)

/** Writes that were done under an older token after a newer one. */
export const olderAfterNewer = (writes: readonly Write[]): readonly string[] =>
  outOfOrder(
    writes.filter(({ end }) => end === 'done'),
    'wrote under',
    (before, { token }) => token < before.token,
  )

/** Writes that were refused, though nobody can have written under a newer token. */
export const refusedWithoutCause = (writes: readonly Write[]): readonly string[] =>
  writes
    .filter(({ end }) => end === 'refused')
    .filter(
      (refused) =>
        !writes.some(
          ({ lock, token, from, end }) =>
            lock === refused.lock && token > refused.token && from < refused.until && end !== 'refused',
        ),
    )
    .map((refused) => `${told(refused)} was refused under ${refused.lock}, though nobody wrote under a newer token`)

/** A number that is read, and written one greater, under a lock: it counts its writes, if these do not come between each other. */
export type Register = {
  readonly lock: string
  readonly read: () => number
  /** @returns whether it was written */
  readonly write: (program: string, token: number, value: number) => boolean
  readonly writes: () => readonly Write[]
  readonly newest: () => number
}

/** @param isFenced whether it refuses what bears an older token than one that it has seen, as whatever a lock protects is to do */
export const openRegister = (lock: string, isFenced: boolean): Register => {
  const writes: Write[] = []
  let value = 0
  let newest = 0
  return {
    lock,
    read: () => value,
    write: (program, token, next) => {
      const now = performance.now()
      const isRefused = isFenced && token < newest
      writes.push({ lock, program, token, from: now, until: now, end: isRefused ? 'refused' : 'done' })
      if (isRefused) return false
      value = next
      newest = Math.max(newest, token)
      return true
    },
    writes: () => writes,
    newest: () => newest,
  }
}

/** Writes that the register of a lock refused of programs that held it. */
export const refusedBy = (register: Register): readonly string[] =>
  register
    .writes()
    .filter(({ end }) => end === 'refused')
    .map((write) => `${told(write)} held ${register.lock} and wrote, but somebody had written under a newer token`)

/** Writes that were done between the read and the write of another one. */
export const writesLost = (register: Register): readonly string[] => {
  const done = register.writes().filter(({ end }) => end === 'done').length
  const value = register.read()
  return value === done ? [] : [`of ${done} writes under ${register.lock} ${done - value} were written over`]
}
