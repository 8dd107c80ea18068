import test from 'ava'
import { UsageError } from '../../env/command-line.ts'
import { type Options, parseOptions } from './options.ts'

const parse = (line: string): Options => {
  const options = parseOptions(line.split(' ').filter(Boolean))
  if (options === 'help') throw new Error('help was not wanted')
  return options
}

test('measures closed loops of checkouts in a shop of its own where nothing is said', (t) => {
  t.deepEqual(parse(''), {
    seconds: 10,
    warmUpSeconds: 15,
    connections: [1, 16, 64, 256],
    runs: 1,
    route: 'checkout',
    appendfsync: 'always',
    replicas: 1,
    hotItem: false,
    hotUser: false,
    limits: true,
    profile: undefined,
    rate: undefined,
    obeysRetryAfter: false,
    users: undefined,
    items: undefined,
    orders: undefined,
    finished: 0,
    kill: undefined,
    url: undefined,
    compare: undefined,
  })
})

test('takes a rate as it is, or as a part of the peak', (t) => {
  t.deepEqual(parse('--rate 850').rate, { perSecond: 850 })
  t.deepEqual(parse('--rate 50%').rate, { ofPeak: 0.5 })
})

test('kills replicas of one service or of all, with 64 connections if nothing else is said', (t) => {
  const { kill, connections } = parse('--kill payment --every 2.5s --replicas 2')
  t.deepEqual(kill, { services: ['payment'], everyMs: 2_500 })
  t.deepEqual(connections, [64])
  const all = parse('--kill all --replicas 3 --connections 8')
  t.deepEqual(all.kill, { services: ['ids', 'order', 'payment', 'stock'], everyMs: 5_000 })
  t.deepEqual(all.connections, [8])
})

test('takes 2,000 connections, a million of each thing, and an address to compare with', (t) => {
  const options = parse('--connections 2000 --users 1000000 --items 1000000 --compare http://127.0.0.1:8000')
  t.deepEqual(options.connections, [2_000])
  t.is(options.users, 1_000_000)
  t.is(options.items, 1_000_000)
  t.is(options.compare, 'http://127.0.0.1:8000')
})

test('asks for help before it minds anything else', (t) => {
  t.is(parseOptions(['--help', '--rate', 'fast']), 'help')
})

const wrong: Readonly<Record<string, RegExp>> = {
  '--secnds 1': /--secnds/,
  '--seconds 0': /^--seconds takes numbers from 1 to 600, not "0"$/,
  '--warm-up 0': /^--warm-up takes numbers from 1 to 600, not "0"$/,
  '--connections 5000': /^--connections takes numbers from 1 to 4096, not "5000"$/,
  '--runs 0': /^--runs takes numbers/,
  '--route buy': /^--route takes one of checkout, find-order, .*, not "buy"$/,
  '--rate 0': /^--rate takes numbers from 1 to/,
  '--rate 0%': /^--rate takes numbers from 1 to 500, not "0"$/,
  '--rate 10 --connections 8': /^--connections does not go with --rate$/,
  '--kill cashier --replicas 2': /^--kill takes one of ids, order, payment, stock, not "cashier"$/,
  '--kill stock': /^--kill wants --replicas 2 or more$/,
  '--kill stock --replicas 2 --every 1': /^--every takes times from 1s to 10m, not "1"$/,
  '--every 5s': /^--every goes with --kill$/,
  '--compare shop': /^--compare takes an address as/,
  '--compare http://a:1 --url http://b:1': /^--compare is for a shop of the benchmark's own/,
  '--url http://b:1 --kill stock --replicas 2': /is for a shop of the benchmark's own/,
  '--users 1000001': /^--users takes numbers from 1 to 1000000/,
  '--hot-user --users 5': /^--users does not go with --hot-user$/,
  '--route pay --finished 5': /^--finished goes with --route checkout$/,
}

for (const [line, sentence] of Object.entries(wrong))
  test(`says in one sentence what is wrong with ${line}`, (t) => {
    t.throws(() => parse(line), { instanceOf: UsageError, message: sentence })
  })
