import test from 'ava'
import { UsageError } from '../../env/command-line.ts'
import { commandOf, type Options, parseOptions, RANDOM } from './options.ts'

const parse = (line: string): Options => {
  const options = parseOptions(line.split(' ').filter(Boolean), () => 7)
  if (options === 'help') throw new Error('help was not wanted')
  return options
}

test('draws faults of every kind that loses nothing, of any part, where none is chosen', (t) => {
  t.deepEqual(parse(''), {
    choices: RANDOM,
    everyMs: { min: 5_000, max: 5_000 },
    awayMs: 1_000,
    load: { loop: 'open', perSecond: 100 },
    forMs: 60_000,
    replicas: 1,
    auth: false,
    locks: false,
    seed: 7,
    port: 0,
    view: true,
  })
  t.false(RANDOM.some(({ kind }) => kind === 'lose-tail'))
})

test('draws faults of ids and its Redis where programs take turns and none is chosen, and has it come back older', (t) => {
  const { choices } = parse('--locks')
  t.true(choices.every(({ target }) => target === 'ids' || target === 'ids-redis'))
  t.true(choices.some(({ kind }) => kind === 'lose-tail'))
  t.deepEqual(parse('--locks --kill order').choices, [{ kind: 'kill', target: 'order' }])
})

test('takes several faults, a range of times, and the number of customers instead of a rate', (t) => {
  const options = parse('--kill payment --kill any --lose-tail stock-redis --every 500ms-1.5s --away 0s --customers 32')
  t.deepEqual(options.choices, [
    { kind: 'kill', target: 'payment' },
    { kind: 'kill', target: 'any' },
    { kind: 'lose-tail', target: 'stock-redis' },
  ])
  t.deepEqual(options.everyMs, { min: 500, max: 1_500 })
  t.is(options.awayMs, 0)
  t.deepEqual(options.load, { loop: 'closed', customers: 32 })
})

test('asks for help before it minds anything else', (t) => {
  t.is(
    parseOptions(['--help', '--kill', 'nobody'], () => 0),
    'help',
  )
})

const wrong: Readonly<Record<string, RegExp>> = {
  '--kill cashier': /^--kill takes one of ids, order, .*, not "cashier"$/,
  '--lose-tail gateway': /^--lose-tail takes one of ids-redis, .*, not "gateway"$/,
  '--every soon': /^--every takes times from 500ms to 10m, not "soon"$/,
  '--every 9s-5s': /^--every takes a time, or a range like 5s-15s, not "9s-5s"$/,
  '--every 1s --away 1s': /^--away must be shorter than --every, not "1s"$/,
  '--for 3h': /^--for takes times from 1s to 2h, not "3h"$/,
  '--load 0': /^--load takes numbers from 1 to 5000, not "0"$/,
  '--load 5 --customers 5': /^--customers is instead of --load$/,
  '--seed -1': /--seed/,
  '--sed 1': /--sed/,
  '--port 65536': /^--port takes numbers from 0 to 65535/,
}

for (const [line, sentence] of Object.entries(wrong))
  test(`says in one sentence what is wrong with ${line}`, (t) => {
    t.throws(() => parse(line), { instanceOf: UsageError, message: sentence })
  })

for (const line of [
  '--kill payment --every 2s-3s --load 300 --for 90s --seed 12',
  '--lose-tail any --random --customers 4 --replicas 2 --away 100ms --seed 1',
  '--every 1.5s',
  '--auth --kill gateway',
  '--locks --auth --replicas 2',
  '--locks --random',
])
  test(`repeats "${line}" by the command that it names`, (t) => {
    const options = parse(line)
    t.deepEqual(parse(commandOf(options).replace('npm run drill -- ', '')), options)
  })
