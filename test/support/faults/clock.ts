/**
 * Loaded into a service before anything else (`NODE_OPTIONS=--import`): its clock jumps an hour ahead at the first SIGUSR2, two
 * hours back at the second, and is right again after the third. Other shifts are told in milliseconds by `CLOCK_SHIFTS_MS`,
 * separated by commas; the first one holds from the start. The monotonic clock goes on, as it does on a real machine.
 */
import process from 'node:process'

const HOUR_MS = 3_600_000
const SHIFTS_MS = process.env.CLOCK_SHIFTS_MS?.split(',').map(Number) ?? [0, HOUR_MS, -HOUR_MS]

const Real = Date
let turn = 0
const now = (): number => Real.now() + (SHIFTS_MS[turn % SHIFTS_MS.length] ?? 0)

class Shifted extends Real {
  constructor(...given: [] | [string | number | Date]) {
    if (given.length === 0) super(now())
    else super(...given)
  }

  static override now(): number {
    return now()
  }
}
globalThis.Date = Shifted as DateConstructor

process.on('SIGUSR2', () => {
  turn += 1
})
