/**
 * A second saga over the same engine: its tables and commands are few, and it survives what checkouts survive. Each participant
 * is a process with a Redis of its own; one of them dies between two commands.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Redis } from 'ioredis'
import { openStep } from '../../shared/process/step.ts'
import { connect, disconnect, whenReady } from '../../shared/redis/connection.ts'
import { recordsIn } from '../support/checker/records.ts'
import { eventually } from '../support/eventually.ts'
import { type RedisServer, startRedis } from '../support/shop/redis-server.ts'
import { openDesk } from './open-parcels.ts'

const ENDED_WITHIN_MS = 30_000
const PLACES = 3
const LONG_MS = 50_000
const SHORT_MS = 300

type Participant = 'order' | 'stock'
const peerOf = { order: 'stock', stock: 'order' } as const

type Parcels = {
  readonly servers: Readonly<Record<Participant, RedisServer>>
  /** Starts a participant; with a point, it dies there. Resolves once it follows its peer. */
  readonly start: (participant: Participant, point?: string) => Promise<ChildProcess>
  readonly book: (patienceMs: number) => Promise<void>
  /** How the parcel stands with both, and how many places are left. */
  readonly look: () => Promise<readonly [desk: string | undefined, fleet: string | undefined, places: number]>
}

const open = async (t: ExecutionContext): Promise<Parcels> => {
  const servers = { order: await startRedis(), stock: await startRedis() }
  const client = connect(servers.order.url, 'command')
  const lookers = { order: new Redis(servers.order.url), stock: new Redis(servers.stock.url) }
  for (const looker of Object.values(lookers)) looker.on('error', () => undefined) // It is killed, and reached again.
  const children: ChildProcess[] = []
  t.teardown(async () => {
    for (const child of children) child.kill('SIGKILL')
    for (const redis of [client, ...Object.values(lookers)]) disconnect(redis)
    await Promise.all(Object.values(servers).map((server) => server.stop()))
  })
  await whenReady(client)
  await lookers.stock.set('van:blue', PLACES)
  return {
    servers,
    start: async (participant, point) => {
      const child = fork(join(import.meta.dirname, 'parcel-process.ts'), [participant], {
        env: {
          ...process.env,
          LOG_LEVEL: 'error',
          REDIS_URL: servers[participant].url,
          PEER_REDIS_URL: servers[peerOf[participant]].url,
          ...(point === undefined ? {} : { CRASH_POINTS: `${point}:1:kill` }),
        },
        execArgv: [],
      })
      children.push(child)
      const [said] = await once(child, 'message')
      t.is(said, 'ready')
      return child
    },
    book: async (patience_ms) => {
      await openDesk(client, openStep('test')).run('book', { log_id: 'parcel', van: 'blue', patience_ms })
    },
    look: async () => {
      const [desk, fleet] = await Promise.all([recordsIn(lookers.order, 'order'), recordsIn(lookers.stock, 'stock')])
      return [desk.get('parcel')?.state, fleet.get('parcel')?.state, Number(await lookers.stock.get('van:blue'))]
    },
  }
}

const assertEnds = async (t: ExecutionContext, { look }: Parcels, end: Awaited<ReturnType<Parcels['look']>>) => {
  await eventually(async () => {
    const stands = await look()
    if (stands.join() !== end.join()) throw new Error(`it stands ${stands.join()}`)
  }, ENDED_WITHIN_MS)
  t.pass()
}

test('it is defined in under 60 lines: tables, and small commands', (t) => {
  const lua = readdirSync(join(import.meta.dirname, 'lua')).map((file) => join('lua', file))
  const lines = ['parcels.ts', ...lua].flatMap((file) =>
    readFileSync(join(import.meta.dirname, file), 'utf8')
      .replace(/\/\*\*[\s\S]*?\*\//g, '')
      .split('\n')
      .filter((line) => line.trim() !== '' && !/^(import |--)/.test(line)),
  )
  t.log(`${lines.length} lines besides comments and imports`)
  t.true(lines.length < 60, String(lines.length))
})

/** Between which commands a participant dies that is started again at once. */
const POINTS: readonly (readonly [Participant, point: string])[] = [
  ['stock', 'stock.reserve.before'],
  ['stock', 'stock.reserve.after'],
  ['order', 'order.send.before'],
  ['order', 'order.send.after'],
]

for (const [participant, point] of POINTS)
  test(`${participant} dies at ${point}: the parcel is sent, once`, async (t) => {
    const parcels = await open(t)
    const dying = await parcels.start(participant, point)
    await parcels.start(peerOf[participant])
    const died = once(dying, 'exit')
    await parcels.book(LONG_MS)
    t.deepEqual(await died, [null, 'SIGKILL'])
    await parcels.start(participant)
    await assertEnds(t, parcels, ['sent', 'reserved', PLACES - 1])
  })

test('the desk dies, then the store of the fleet, until the deadline is over: the place that was reserved is free again', async (t) => {
  const parcels = await open(t)
  const dying = await parcels.start('order', 'order.send.before')
  await parcels.start('stock')
  const died = once(dying, 'exit')
  await parcels.book(SHORT_MS)
  t.deepEqual(await died, [null, 'SIGKILL'])
  t.deepEqual(await parcels.look(), ['open', 'reserved', PLACES - 1])
  await parcels.servers.stock.kill()
  await parcels.start('order')
  const desk = new Redis(parcels.servers.order.url)
  await eventually(async () => {
    if ((await desk.hget('saga:parcel', 'state')) !== 'revoked') throw new Error('it is not revoked yet')
  }, ENDED_WITHIN_MS)
  disconnect(desk)
  await parcels.servers.stock.restart()
  await assertEnds(t, parcels, ['over', 'freed', PLACES])
})

test('a van that is full is told at once, and nothing hangs', async (t) => {
  const parcels = await open(t)
  await parcels.start('stock')
  await parcels.start('order')
  const stock = new Redis(parcels.servers.stock.url)
  await stock.set('van:blue', 0)
  disconnect(stock)
  await parcels.book(LONG_MS)
  await assertEnds(t, parcels, ['over', 'freed', 0])
})
