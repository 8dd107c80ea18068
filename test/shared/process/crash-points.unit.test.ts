import test from 'ava'
import { UnavailableError } from '../../../shared/errors.ts'
import { ConfigError, readConfig } from '../../../shared/process/config.ts'
import {
  crashPlan,
  crashPoints,
  type Host,
  type Instruction,
  LostReplyError,
  type Notice,
} from '../../../shared/process/crash-points.ts'
import { openStep } from '../../../shared/process/step.ts'

const read = (text?: string) => readConfig({ CRASH_POINTS: text }, { crash: crashPlan }, {})[0].crash

/** A process that only writes down what would be done to it, and in which order. */
const open = (text: string) => {
  const plan = read(text)
  if (plan === 'off') throw new Error('it is off')
  const seen: (Notice | string)[] = []
  let instruct: (instruction: Instruction) => void = () => undefined
  const host: Host = {
    signal: (signal) => void seen.push(signal),
    tell: (told) => void seen.push(told),
    onInstruction: (obey) => {
      instruct = obey
    },
  }
  const points = crashPoints(plan, host)
  return { seen, points, step: openStep('shop', points), instruct: (told: Instruction) => instruct(told) }
}

test('there are no crash points unless the variable is set', (t) => {
  t.is(read(), 'off')
  t.is(read(''), 'off')
})

test('points are listed with the passing that is hit and the fault', (t) => {
  t.deepEqual(read('a.hear-b.before:2:kill, a.parser.lock.after:1:lose-reply,record'), {
    record: true,
    armed: [
      { point: 'a.hear-b.before', nth: 2, fault: 'kill' },
      { point: 'a.parser.lock.after', nth: 1, fault: 'lose-reply' },
    ],
  })
  t.deepEqual(read('listen'), { record: false, armed: [] })
})

for (const wrong of [
  'a.b:1:kill',
  'a.b.before:0:kill',
  'a.b.before:1:explode',
  'a.b.before',
  'a.b.before:1:lose-reply',
  'on',
])
  test(`the variable is not "${wrong}"`, (t) => {
    t.throws(() => read(wrong), { instanceOf: ConfigError, message: /CRASH_POINTS must be a list of/ })
  })

test('a point is hit at its n-th passing, once, and the parent is told before the fault', async (t) => {
  const { seen, step } = open('shop.sell.before:2:kill')
  for (let time = 0; time < 4; time += 1) await step('sell', async () => void seen.push('sold'))
  t.deepEqual(seen, [
    'sold',
    { type: 'hit', point: 'shop.sell.before', nth: 2, fault: 'kill' },
    'SIGKILL',
    'sold',
    'sold',
    'sold',
  ])
})

test('a reply that is lost is lost after the effect, and seen as a cut connection is', async (t) => {
  const { seen, step } = open('shop.sell.after:1:lose-reply')
  const error = await t.throwsAsync(() => step('sell', async () => void seen.push('sold')), {
    instanceOf: UnavailableError,
  })
  t.true(error.cause instanceof LostReplyError)
  t.is(seen[0], 'sold')
})

test('a step passes the points of its parts, the whole around them', async (t) => {
  const { seen, step } = open('record')
  await step(
    'hear',
    async () => void seen.push('heard'),
    () => ['hold', 'capture'],
  )
  t.deepEqual(
    seen.map((one) => (typeof one === 'object' && 'point' in one ? one.point : one)),
    [
      ...['shop.hear.before', 'shop.hold.before', 'shop.capture.before', 'heard'],
      ...['shop.capture.after', 'shop.hold.after', 'shop.hear.after'],
    ],
  )
})

test('an instruction takes the place of what was armed before', async (t) => {
  const { seen, step, instruct } = open('shop.sell.before:1:kill')
  instruct({ type: 'crash-points', record: false, armed: [{ point: 'shop.sell.after', nth: 1, fault: 'freeze' }] })
  await step('sell', async () => void seen.push('sold'))
  t.deepEqual(seen, [
    { type: 'crash-points-ready' },
    'sold',
    { type: 'hit', point: 'shop.sell.after', nth: 1, fault: 'freeze' },
    'SIGSTOP',
  ])
})

test('a step that fails passes no point after it', async (t) => {
  const { seen, step } = open('record')
  await t.throwsAsync(() => step('sell', () => Promise.reject(new Error('sold out'))), { message: 'sold out' })
  t.deepEqual(seen, [{ type: 'passed', point: 'shop.sell.before' }])
})
