import test from 'ava'
import { cronSetting, isDue, type Moment, runAfter, waitMs } from '../../../shared/saga/schedule.ts'

const EVERY_MS = 5_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** A whole number of intervals, so that a run is due now. */
const at = (wallMs = 1_700_000_000_000, steadyMs = 1_000): Moment => ({ wallMs, steadyMs })
const later = ({ wallMs, steadyMs }: Moment, ms: number, jumpMs = 0): Moment => ({
  wallMs: wallMs + ms + jumpMs,
  steadyMs: steadyMs + ms,
})
/** What the wall shows: the next whole intervals. */
const shown = ({ wallMs }: Moment): Date[] => {
  const next = (Math.floor(wallMs / EVERY_MS) + 1) * EVERY_MS
  return [new Date(next), new Date(next + EVERY_MS)]
}
const plan = (now: Moment): Moment => runAfter(now, shown(now))

test('a run is due when the wall says so, and the next one after an interval', (t) => {
  const due = plan(later(at(), 1_200))
  t.deepEqual(due, later(at(), EVERY_MS))
  t.false(isDue(due, later(at(), EVERY_MS - 1)))
  t.true(isDue(due, later(at(), EVERY_MS)))
  t.is(waitMs(due, later(at(), 1_200)), 3_800)
})

for (const [name, jumpMs] of [
  ['back an hour', -HOUR_MS],
  ['back a day', -DAY_MS],
  ['ahead a second', 1_000],
  ['ahead a week', 7 * DAY_MS],
] as const)
  test(`the wall is set ${name}: the run comes after an interval at the latest, and then every interval, one each`, (t) => {
    const due = plan(at())
    const ran = later(at(), EVERY_MS, jumpMs)
    t.true(isDue(due, ran))
    const next = plan(ran)
    const inMs = next.steadyMs - ran.steadyMs
    t.true(inMs > 0 && inMs <= EVERY_MS + 500, `the next run comes after ${inMs} ms`)
    t.false(isDue(next, later(ran, 1)))
  })

test('a timer that fires a bit early has no run come twice', (t) => {
  const ran = later(at(), -3)
  t.deepEqual(plan(ran), { wallMs: at().wallMs + EVERY_MS, steadyMs: at().steadyMs + EVERY_MS })
})

test('a wait of months is taken in looks of a minute, so that a wall set ahead is noticed', (t) => {
  const now = at()
  const due = runAfter(now, [new Date(now.wallMs + 90 * DAY_MS)])
  t.is(waitMs(due, now), 60_000)
  t.true(isDue(due, later(now, 60_000, 90 * DAY_MS)))
})

test('what is long due is waited for no more', (t) => {
  t.is(waitMs(at(), later(at(), HOUR_MS)), 0)
})

for (const value of ['often', '*/5 * * *', '61 * * * * *', '* * * * * * *'])
  test(`a schedule is not "${value}"`, (t) => {
    const message = `must be a cron expression of five or six fields, not "${value}"`
    t.throws(() => cronSetting('IT').parse(value), { message })
  })
test('a schedule is of minutes, or of seconds', (t) => {
  for (const value of ['*/5 * * * *', '*/5 * * * * *']) t.is(cronSetting('IT').parse(value), value)
})
