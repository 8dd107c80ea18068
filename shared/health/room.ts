/**
 * May clients begin something new?
 *
 * Not while a Redis is nearly full into which it would write. What is under way needs room to end in, and so do the surveys,
 * without which no entry of a saga is trimmed (`shared/saga/lua/trim.lua`): where all had been given away, nothing would ever
 * make room again. So the last twentieth is kept for them. A Redis that is full refuses everybody.
 */
import type { Check } from '../http/readiness.ts'
import type { MemoryWatch } from './memory.ts'

/** From here on nothing new is begun, until it is below the second. */
const KEPT_PERCENT = 95
const ROOM_PERCENT = 93

export type Room = {
  /** Is there none for anything new? As it was found last. */
  readonly isLacking: () => boolean
  readonly check: () => Check
  /** Asked once a second. */
  readonly look: () => Promise<void>
}

/** @param watched the Redis into which clients write in the end, by the names of their services */
export const openRoom = (watched: Readonly<Record<string, Pick<MemoryWatch, 'look' | 'percent'>>>): Room => {
  /** Those that are nearly full. */
  const full = new Map<string, number>()

  return {
    isLacking: () => full.size > 0,
    check: () => {
      const said = [...full].map(([name, percent]) => `the Redis of ${name} is ${percent} % full`)
      const wrong = full.size === 0 ? undefined : `nothing new is begun: ${said.join(', ')}`
      return { name: 'room', grade: 'impairs', wrong }
    },
    look: async () => {
      const all = Object.entries(watched)
      await Promise.all(all.map(([, { look }]) => look()))
      for (const [name, { percent }] of all) {
        if (percent() >= (full.has(name) ? ROOM_PERCENT : KEPT_PERCENT)) full.set(name, percent())
        else full.delete(name)
      }
    },
  }
}
