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
    with: undefined,
    consoles: undefined,
    appendfsync: 'always',
    replicas: 1,
    hotItem: false,
    hotUser: false,
    auth: false,
    limits: true,
    profile: undefined,
    rate: undefined,
    obeysRetryAfter: false,
    users: undefined,
    items: undefined,
    orders: undefined,
    finished: 0,
    url: undefined,
    compare: undefined,
  })
})

test('takes a rate as it is, or as a part of the peak', (t) => {
  t.deepEqual(parse('--rate 850').rate, { perSecond: 850 })
  t.deepEqual(parse('--rate 50%').rate, { ofPeak: 0.5 })
})

test('compares with a second shop of its own', (t) => {
  t.like(parse('--auth --compare open'), { auth: true, compare: 'open' })
})

test('takes 2,000 connections, a million of each thing, and an address to compare with', (t) => {
  const options = parse('--connections 2000 --users 1000000 --items 1000000 --compare http://127.0.0.1:8000')
  t.deepEqual(options.connections, [2_000])
  t.is(options.users, 1_000_000)
  t.is(options.items, 1_000_000)
  t.is(options.compare, 'http://127.0.0.1:8000')
})

test('takes two routes that are measured in turn', (t) => {
  const { route, with: other } = parse('--route place --with add-funds')
  t.deepEqual([route, other], ['place', 'add-funds'])
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
  '--route buy': /^--route takes one of checkout, place, .*, not "buy"$/,
  '--rate 0': /^--rate takes numbers from 1 to/,
  '--rate 0%': /^--rate takes numbers from 1 to 500, not "0"$/,
  '--consoles 5 --compare open': /^--compare does not go with --consoles$/,
  '--consoles 3000': /^--consoles /,
  '--rate 10 --connections 8': /^--connections does not go with --rate$/,
  '--compare shop': /^--compare takes an address as/,
  '--compare http://a:1 --url http://b:1': /^--compare is for a shop of the benchmark's own/,
  '--url http://b:1 --replicas 2': /^--replicas is for a shop of the benchmark's own/,
  '--users 1000001': /^--users takes numbers from 1 to 1000000/,
  '--hot-user --users 5': /^--users does not go with --hot-user$/,
  '--with pay': /^--with takes a route, and goes with one, that can be asked for ever, which a checkout cannot$/,
  '--route place --with checkout': /^--with takes a route, and goes with one, that can be asked for ever/,
  '--route pay --with add-funds': /^--with takes another route than --route, and not two that write$/,
  '--route place --with place': /^--with takes another route than --route/,
  '--route place --with pay --rate 5': /^--rate does not go with --with$/,
  '--route pay --finished 5': /^--finished goes with --route checkout$/,
}

for (const [line, sentence] of Object.entries(wrong))
  test(`says in one sentence what is wrong with ${line}`, (t) => {
    t.throws(() => parse(line), { instanceOf: UsageError, message: sentence })
  })
