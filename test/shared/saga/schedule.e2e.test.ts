/** A schedule in a process whose clock on the wall really jumps, or repeats an hour. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'

const CLOCK = pathToFileURL(join(import.meta.dirname, '../../support/faults/clock.ts')).href
const PROGRAM = join(import.meta.dirname, 'schedule-process.ts')
const EVERY_MS = 1_000
/** What a run may be late by, on a machine that is busy with other tests. */
const LATE_MS = 900
const HOUR_MS = 3_600_000
const WEEK_MS = 7 * 24 * HOUR_MS

/** Has it run each second for some times, with the first shift of the clock, and for some times with the next. */
const ranAt = async (t: ExecutionContext, shiftsMs: readonly number[], times = 3): Promise<readonly number[]> => {
  const child = spawn(process.execPath, [`--import=${CLOCK}`, PROGRAM, '* * * * * *'], {
    env: { ...process.env, CLOCK_SHIFTS_MS: shiftsMs.join(), TZ: 'Europe/Berlin' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines: string[] = []
  const complaints: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line))
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    if (lines.length % times === 0 && lines.length < times * shiftsMs.length) child.kill('SIGUSR2')
    if (lines.length === times * shiftsMs.length) break
  }
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
  t.deepEqual(complaints, [])
  t.true(
    lines.every((line) => /^\d+$/.test(line)),
    lines.join('\n'),
  )
  return lines.map(Number)
}

const assertEverySecond = (t: ExecutionContext, ran: readonly number[]): void => {
  const gaps = ran.slice(1).map((ms, index) => ms - (ran[index] ?? 0))
  t.log(gaps.join())
  t.true(
    gaps.every((ms) => ms <= EVERY_MS + LATE_MS),
    `a run came after ${Math.max(...gaps)} ms`,
  )
}

/** From now to 01:59:58 summer time of the night in which Berlin's clocks went back: two seconds before they show 02:00 twice. */
const toShiftOfHours = (second: number): number => Date.UTC(2026, 9, 25, 0, 59, 57 + second) - Date.now()

for (const [name, shiftsMs] of [
  ['set back an hour', [0, -HOUR_MS]],
  ['set ahead a week', [0, WEEK_MS]],
  ['set ahead and back', [0, WEEK_MS, -HOUR_MS]],
] as const)
  test(`the wall is ${name}: a run comes every second, one each, and nothing else is said`, async (t) => {
    assertEverySecond(t, await ranAt(t, shiftsMs))
  })

test('the hour that is shown twice in autumn has its runs twice', async (t) => {
  assertEverySecond(t, await ranAt(t, [toShiftOfHours(0)], 6))
  // In the repeated hour itself, from its begin to its end.
  assertEverySecond(t, await ranAt(t, [toShiftOfHours(HOUR_MS / 1_000)], 6))
})
