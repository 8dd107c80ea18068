/** How did the programs stand the drill that took turns under locks? */
import { number } from '../support/table.ts'
import { crowded, olderAfterNewer, refusedBy, refusedWithoutCause, tokensFallen, writesLost } from './beliefs.ts'
import { type Programs, placesOf, type Turns } from './programs.ts'

export type TurnsFound = {
  /** What contradicts what locks promise, a sentence each. */
  readonly wrong: readonly string[]
  /** In a line each. */
  readonly words: readonly string[]
}

/** What of the turns contradicts that they were turns. @param isFenceKept whether the shop has forgotten none of the tokens it saw */
const wrongIn = ({ beliefs, writes, registers }: Turns, isFenceKept: boolean): readonly string[] => [
  ...crowded(beliefs, placesOf),
  // Where several hold a lock at once, one may be told of its grant when others that came after it have gone: a reply was lost.
  ...tokensFallen(beliefs.filter(({ lock }) => placesOf(lock) === 1)),
  ...(isFenceKept ? olderAfterNewer(writes) : []),
  ...registers.flatMap((register) => [
    ...olderAfterNewer(register.writes()),
    ...refusedBy(register),
    ...writesLost(register),
  ]),
]

/** What the control has to be found by. */
const CONTROLS: Readonly<Record<string, (control: Turns) => number>> = {
  'two at once': ({ beliefs }) => crowded(beliefs, placesOf).length,
  'an older token after a newer one': ({ registers }) =>
    registers.flatMap((register) => olderAfterNewer(register.writes())).length,
  'a write that was written over': ({ registers }) => registers.flatMap(writesLost).length,
  'a late write that the shop refused': ({ writes }) => writes.filter(({ end }) => end === 'refused').length,
}

export const judgeTurns = (
  { honest, control }: Pick<Programs, 'honest' | 'control'>,
  isFenceKept: boolean,
): TurnsFound => {
  const found = Object.entries(CONTROLS).map(([what, count]) => ({ what, times: count(control) }))
  const late = honest.writes.filter(({ end }) => end === 'refused').length
  const locks = new Set(honest.beliefs.map(({ lock }) => lock)).size
  return {
    wrong: [
      ...wrongIn(honest, isFenceKept),
      ...(isFenceKept ? refusedWithoutCause([...honest.writes, ...control.writes]) : []),
      ...[...honest.odd, ...control.odd],
      ...found
        .filter(({ times }) => times === 0)
        .map(({ what }) => `the control was not found by ${what}: what is said of locks is worth nothing`),
    ],
    words: [
      `Programs took ${number(honest.beliefs.length)} turns at ${number(locks)} locks; ${number(honest.lost)} locks were lost, ${number(honest.missed)} not to be had in time, ${number(late)} late writes refused.`,
      `The control, which believes for ever that it holds a lock, was found by ${found.map(({ what, times }) => `${what} (${number(times)})`).join(', ')}.`,
    ],
  }
}
