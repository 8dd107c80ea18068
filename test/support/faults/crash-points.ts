/** Where a process of the shop shall die: tells it, and learns where it was. It must have been started with `CRASH_POINTS`. */
import type { Part } from '../../../env/local/managed-process.ts'
import type { Armed, CrashPlan, Instruction, Notice } from '../../../shared/process/crash-points.ts'

/** The variables of a shop whose processes can be told. */
export const listening = { CRASH_POINTS: 'listen' }

const isTold = (message: unknown): message is Notice =>
  typeof message === 'object' && message !== null && 'type' in message

const onTold = (part: Part, listener: (told: Notice) => void): (() => void) =>
  part.onMessage((message) => {
    if (isTold(message)) listener(message)
  })

/** Resolves when the part has said what `matches`. @throws if it has not within the time. */
const whenTold = (part: Part, matches: (told: Notice) => boolean, what: string, withinMs: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop()
      reject(new Error(`${part.name} did not say within ${withinMs} ms: ${what}`))
    }, withinMs)
    const stop = onTold(part, (told) => {
      if (!matches(told)) return
      clearTimeout(timer)
      stop()
      resolve()
    })
  })

const HEARS_WITHIN_MS = 10_000

/** Tells a part which points to hit and whether to tell which it passes; resolves when that counts. */
export const instruct = async (part: Part, plan: CrashPlan): Promise<void> => {
  const ready = whenTold(part, ({ type }) => type === 'crash-points-ready', 'it has understood', HEARS_WITHIN_MS)
  part.say({ type: 'crash-points', ...plan } satisfies Instruction)
  await ready
}

/** Resolves when the part hits the point; to be called before it may. */
export const whenHit = (part: Part, { point }: Armed, withinMs: number): Promise<void> =>
  whenTold(part, (told) => told.type === 'hit' && told.point === point, `${point} is hit`, withinMs)

/** How often each point is passed while the work is done, which may look on. */
export const recorded = async (
  parts: readonly Part[],
  work: (passed: ReadonlyMap<string, number>) => Promise<void>,
): Promise<Map<string, number>> => {
  const passed = new Map<string, number>()
  const stops = parts.map((part) =>
    onTold(part, (told) => {
      if (told.type === 'passed') passed.set(told.point, (passed.get(told.point) ?? 0) + 1)
    }),
  )
  const all = (record: boolean): Promise<unknown> =>
    Promise.all(parts.filter(({ state }) => state === 'up').map((part) => instruct(part, { record, armed: [] })))
  await all(true)
  await work(passed)
  await all(false)
  for (const stop of stops) stop()
  return passed
}
