import test from 'ava'
import type { RouteReading } from './meter.ts'
import { draw, type Scene } from './view.ts'

const route = (does: RouteReading['does'], ok: number): RouteReading => ({
  does,
  ends: { ok, refused: 12, later: 3, failed: 2, unknown: 1 },
  failures: { safe: 3, unsafe: 0 },
  now: { perSecond: 41.26, p50Ms: 4.04, p99Ms: 1_203.5 },
  slowestMs: 1_300,
  unavailable: { ms: 1_234, fromMs: 10_000 },
})

const planned = { awayMs: 1_000, lostShare: 0.01, atMs: 0, overtaken: false }

const SCENE: Scene = {
  seed: 4_294_967_295,
  load: '300 requests/s',
  phase: 'shopping',
  leftMs: 34_400,
  nextFaultMs: 1_960,
  parts: [
    { name: 'order-1', state: 'up' },
    { name: 'payment-1', state: 'starting' },
    { name: 'stock-redis', state: 'frozen' },
    { name: 'payment-redis', state: 'up' },
    { name: 'gateway', state: 'up' },
  ],
  routes: [route('create-order', 12_345), route('checkout', 9_876)],
  visitors: 31,
  open: 7,
  oldestMs: 640,
  locks: 7,
  lags: [
    { subscriber: 'payment', publisher: 'order', ms: 120 },
    { subscriber: 'stock', publisher: 'payment', ms: 2_040 },
  ],
  balances: [
    { what: 'money', added: '1000', left: '900', gone: '60', inFlight: '40', balanced: true },
    { what: 'goods', added: '500', left: '489', gone: '10', inFlight: '0', balanced: false },
  ],
  struck: [
    { ...planned, kind: 'kill', parts: ['payment-1'], begunMs: 5_000, healedMs: 6_900, settledMs: 412 },
    {
      ...planned,
      kind: 'black-hole',
      parts: ['order-1'],
      begunMs: 12_000,
      healedMs: 13_000,
      settledMs: 9_100,
      overtaken: true,
    },
    { ...planned, kind: 'refuse', parts: ['gateway'], begunMs: 70_000, healedMs: 71_000, settledMs: undefined },
    { ...planned, kind: 'freeze', parts: ['a', 'b', 'c'], begunMs: 75_000, healedMs: undefined, settledMs: undefined },
  ],
  deaths: ['stock-1 was ended by SIGABRT'],
}

const SMALL = { columns: 80, rows: 24 }

test('draws everything that is known on one screen', (t) => {
  t.deepEqual(draw(SCENE, SMALL), [
    'drill  0:34 left  300 requests/s  4 faults, next in 2.0 s  seed 4294967295',
    '',
    'order-1 up          payment-1 STARTING  stock-redis FROZEN  payment-redis up',
    'gateway up',
    '',
    '               now /s  p50 ms  p99 ms      ok refused   later  failed unknown',
    'create-order     41.3     4.0  1203.5  12,345      12       3       2       1',
    'checkout         41.3     4.0  1203.5   9,876      12       3       2       1',
    'all                                    22,221      24       6       4       2',
    '',
    'checkouts  7 open, oldest 0.6 s; 7 locked; stock 2.0 s behind payment; 31 inside',
    'money      1000 added = 900 left + 60 spent + 40 in flight: balanced',
    'goods      500 added = 489 left + 10 sold + 0 in flight: WRONG',
    'DIED       stock-1 was ended by SIGABRT',
    '  0:05  kill       payment-1: over after 1.9 s, settled 0.4 s later',
    '  0:12  black-hole order-1: over after 1.0 s, settled 9.1 s later (in the next)',
    '  1:10  refuse     gateway: over after 1.0 s, not settled yet',
    '  1:15  freeze     3 parts: now',
  ])
})

test('says what it does not know, and that nothing more is to come', (t) => {
  const lines = draw(
    { ...SCENE, phase: 'settling', nextFaultMs: undefined, open: undefined, locks: undefined, lags: [] },
    SMALL,
  )
  t.is(lines[0], 'drill  settling ...  300 requests/s  4 faults, no more to come  seed 4294967295')
  t.true(lines.includes('checkouts  ? open; ? locked; logs ?; 31 inside'))
})

test('tells of turns where programs take them', (t) => {
  t.true(draw({ ...SCENE, turns: 1_812 }, { columns: 80, rows: 30 }).includes('turns      1,812 taken under locks'))
})

test('is never larger than the terminal, and keeps the newest faults', (t) => {
  const fault = SCENE.struck[0] ?? t.fail()
  const struck = Array.from({ length: 100 }, (_, index) => ({
    ...(fault as Scene['struck'][number]),
    begunMs: index * 1_000,
  }))
  for (const size of [SMALL, { columns: 200, rows: 60 }, { columns: 40, rows: 10 }]) {
    const lines = draw({ ...SCENE, struck }, size)
    t.true(lines.length <= size.rows)
    t.true(lines.every((line) => line.length <= size.columns))
    if (size.rows >= 24) t.regex(lines.at(-1) ?? '', /1:39 +kill/)
  }
})
