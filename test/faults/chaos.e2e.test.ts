/**
 * Chaos on every connection of the shop: each is broken again and again, at each command that is ever said to a Redis and at
 * each request, before and after it is obeyed, and at random besides; also while it is being made anew. What a library asks
 * for itself breaks like what we ask. No process may end by it, and afterwards all is as if nothing had been.
 */
import test from 'ava'
import { away } from '../support/eventually.ts'
import { FULL } from '../support/faults/daily.ts'
import { type Link, openFabric } from '../support/faults/proxy.ts'
import { survive } from '../support/faults/survive.ts'
import { openShop } from '../support/shop/shop.ts'

/** How long the chaos lasts. */
const CHAOS_MS = FULL ? 600_000 : 10_000
const TURN_MS = FULL ? 1_000 : 250
const ORDERS = FULL ? 4_000 : 200
/** A lock that was taken by a command whose reply was lost lasts for its TTL of 3 s. */
const LATE_LOCKS_MS = 4_000
const CAUGHT_UP_MS = 15_000

/** What is said whenever a connection is made: met by cutting it. */
const GREETINGS: readonly string[] = ['hello', 'info', 'subscribe', 'script']
/** What is said to a Redis. */
const COMMANDS = [
  ...GREETINGS,
  ...['ping', 'evalsha', 'eval', 'xread', 'xrange', 'xrevrange', 'xtrim', 'xinfo', 'xlen'],
  ...['hget', 'hmget', 'hgetall', 'hlen', 'get', 'mget', 'set', 'time', 'zscore', 'smembers'],
]

/** Commands go as arrays of strings; several may go in one piece. */
const saying = (command: string): RegExp => new RegExp(`\\r\\n${command}\\r\\n`, 'i')
const REQUESTS = [/^GET /, /^POST /]

/** Every link is at another command, so that each is broken everywhere in turn, and most connections live. */
const strike = (link: Link, turn: number): void => {
  const isRedis = link.to.endsWith('-redis')
  const command = COMMANDS[Math.floor(turn / 2) % COMMANDS.length] ?? 'evalsha'
  const request = REQUESTS[Math.floor(turn / 2) % REQUESTS.length] ?? /^GET /
  link.suffer({
    does: turn % 2 === 0 ? 'cut-before' : 'lose-reply',
    command: isRedis ? saying(command) : request,
    times: 3,
  })
  if ((isRedis && GREETINGS.includes(command)) || Math.random() < 0.2) link.cut()
}

test('no process ends however often each of its connections is broken, at whatever is said on it', async (t) => {
  t.timeout(CHAOS_MS + 120_000)
  const fabric = openFabric()
  t.teardown(fabric.close)
  const died: string[] = []
  const opened = await openShop(t, {
    replicas: { order: 2 },
    route: fabric.route,
    onEvent: (event) => {
      if (event.type === 'died') died.push(`${event.part} ${event.how}: ${event.tail}`)
    },
  })
  const links = fabric.links(/./, /./)
  let broken = 0
  await survive(t, opened, {
    orders: ORDERS,
    disturb: async () => {
      const until = performance.now() + CHAOS_MS
      for (let turn = 0; performance.now() < until && died.length === 0; turn += 1) {
        for (const [place, link] of links.entries()) strike(link, turn + place * 2)
        await away(TURN_MS)
        for (const link of links) broken += link.struck()
      }
      fabric.heal()
    },
    endedMs: CAUGHT_UP_MS,
    expectations: { locksMs: LATE_LOCKS_MS, settleMs: CAUGHT_UP_MS },
  })
  t.log(`${broken} connections were broken at a command`)
  t.deepEqual(died, [])
  t.true(broken > links.length)
})
