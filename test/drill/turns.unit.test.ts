import test from 'ava'
import { type Belief, openRegister, type Write } from './beliefs.ts'
import type { Turns } from './programs.ts'
import { judgeTurns } from './turns.ts'

const belief = (program: string, token: number, from: number, until: number, lock = 'drill-bill'): Belief => ({
  ...{ lock, program, token, from, until },
})
const write = (program: string, token: number, from: number, until: number, end: Write['end'] = 'done'): Write => ({
  ...{ lock: 'drill-bill', program, token, from, until, end },
})
const turns = (over: Partial<Turns> = {}): Turns => ({
  ...{ beliefs: [], writes: [], registers: [], missed: 0, lost: 0, odd: [], ...over },
})

/** A register into which these wrote, each as it had read it so long before. */
const registerOf = (isFenced: boolean, ...values: readonly (readonly [token: number, value: number])[]) => {
  const register = openRegister('drill-bill', isFenced)
  for (const [token, value] of values) register.write(`p${token}`, token, value)
  return register
}

/** One that believes for ever, beside another one. */
const CONTROL = turns({
  beliefs: [belief('control', 1, 0, 100), belief('other', 2, 50, 60)],
  writes: [write('other', 2, 55, 56), write('control', 1, 90, 95, 'refused')],
  registers: [registerOf(false, [2, 1], [1, 1])],
})
const HONEST = turns({
  beliefs: [belief('a', 1, 0, 10), belief('b', 2, 10, 20), belief('a', 3, 25, 30)],
  writes: [write('a', 1, 5, 12), write('b', 2, 15, 19), write('a', 3, 26, 27)],
  registers: [registerOf(true, [1, 1], [2, 2], [3, 3])],
  lost: 4,
})

test('finds nothing wrong with programs that took turns, and tells how the control was found', (t) => {
  const { wrong, words } = judgeTurns({ honest: HONEST, control: CONTROL }, true)
  t.deepEqual(wrong, [])
  t.deepEqual(words, [
    'Programs took 3 turns at 1 locks; 4 locks were lost, 0 not to be had in time, 0 late writes refused.',
    'The control, which believes for ever that it holds a lock, was found by two at once (1), an older token after a newer one (1), a write that was written over (1), a late write that the shop refused (1).',
  ])
})

const WRONG: Readonly<Record<string, readonly [Partial<Turns>, string]>> = {
  'two that hold a lock at once': [
    { beliefs: [belief('a', 1, 0, 10), belief('b', 2, 9, 20)] },
    'a (token 1) and b (token 2) held drill-bill at once',
  ],
  'one that holds a lock within the time of another one': [
    { beliefs: [belief('a', 1, 0, 100), belief('b', 2, 9, 20)] },
    'a (token 1) and b (token 2) held drill-bill at once',
  ],
  'three that hold a lock of two places': [
    { beliefs: [1, 2, 3].map((token) => belief('a', token, token, 10, 'drill-gpu')) },
    'a (token 1) and a (token 2) and a (token 3) held drill-gpu at once',
  ],
  'a token that is no greater than one of before': [
    { beliefs: [belief('a', 3, 0, 10), belief('b', 3, 10, 20)] },
    'b (token 3) got drill-bill after a (token 3)',
  ],
  'a token that is less than one of long before': [
    { beliefs: [belief('a', 5, 0, 1), belief('b', 6, 1, 2), belief('c', 4, 9, 10)] },
    'c (token 4) got drill-bill after b (token 6)',
  ],
  'a write that the shop took under an older token': [
    { writes: [write('b', 2, 0, 5), write('a', 1, 6, 7)] },
    'a (token 1) wrote under drill-bill after b (token 2)',
  ],
  'a write that the shop refused though nobody came after it': [
    { writes: [write('b', 2, 0, 5, 'refused'), write('a', 1, 0, 1)] },
    'b (token 2) was refused under drill-bill, though nobody wrote under a newer token',
  ],
  'a register that was written under an older token by one that held the lock': [
    { registers: [registerOf(true, [2, 1], [1, 2])] },
    'p1 (token 1) held drill-bill and wrote, but somebody had written under a newer token',
  ],
  'a write that was written over': [
    { registers: [registerOf(true, [1, 1], [2, 1])] },
    'of 2 writes under drill-bill 1 were written over',
  ],
  'a lock that is refused without cause': [{ odd: ['a was refused drill-bill: 500'] }, 'a was refused drill-bill: 500'],
}
for (const [what, [over, sentence]] of Object.entries(WRONG))
  test(`finds ${what}`, (t) => {
    t.deepEqual(judgeTurns({ honest: turns(over), control: CONTROL }, true).wrong, [sentence])
  })

test('two may hold a lock of two places, and neither token need be the greater', (t) => {
  const beliefs = [
    belief('a', 2, 0, 10, 'drill-gpu'),
    belief('b', 1, 1, 5, 'drill-gpu'),
    belief('c', 3, 5, 9, 'drill-gpu'),
  ]
  t.deepEqual(judgeTurns({ honest: turns({ beliefs }), control: CONTROL }, true).wrong, [])
})

test('one of two that hold a lock may be told so late, when the other, with the greater token, has gone', (t) => {
  const beliefs = [belief('a', 5, 0, 1, 'drill-gpu'), belief('b', 4, 2, 3, 'drill-gpu')]
  t.deepEqual(judgeTurns({ honest: turns({ beliefs }), control: CONTROL }, true).wrong, [])
})

test('a write whose end is not known, or that went on meanwhile, says nothing', (t) => {
  const writes = [
    write('b', 2, 0, 5),
    write('a', 1, 4, 9),
    write('a', 1, 6, 7, 'unknown'),
    write('c', 1, 1, 9, 'refused'),
  ]
  t.deepEqual(judgeTurns({ honest: turns({ writes }), control: CONTROL }, true).wrong, [])
})

test('says nothing of the tokens that a shop has seen, where it has forgotten them', (t) => {
  const writes = [write('b', 2, 0, 5), write('a', 1, 6, 7), write('c', 3, 6, 7, 'refused')]
  t.deepEqual(judgeTurns({ honest: turns({ writes }), control: CONTROL }, false).wrong, [])
})

test('is worth nothing if the control was not found', (t) => {
  const { wrong } = judgeTurns({ honest: HONEST, control: turns() }, true)
  t.is(wrong.length, 4)
  t.true(
    wrong.every((sentence) =>
      /^the control was not found by .*: what is said of locks is worth nothing$/.test(sentence),
    ),
  )
})
