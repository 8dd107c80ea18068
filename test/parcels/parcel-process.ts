/** The desk or the fleet as a process of its own, with the machinery that every service has: a reader and a log parser. */
import process from 'node:process'
import type { Redis } from 'ioredis'
import { redLock } from '../../shared/lock/redlock.ts'
import { openSubscription } from '../../shared/log/subscription.ts'
import { redisUrl } from '../../shared/process/config.ts'
import { run } from '../../shared/process/lifecycle.ts'
import { connect, disconnect, tellTo, whenReady } from '../../shared/redis/connection.ts'
import { logParser } from '../../shared/saga/log-parser.ts'
import { openRecovery, type RunRepair } from '../../shared/saga/recovery.ts'
import { openDesk, openFleet } from './open-parcels.ts'
import { desk, deskRecovery } from './parcels.ts'

const LEASE_TTL_MS = 300

const [, , name = ''] = process.argv
await run(process, name, { own: redisUrl('REDIS_URL'), peer: redisUrl('PEER_REDIS_URL') }, async (context) => {
  const { config, step, stack, logger, shutdown } = context
  const open = (url: string, kind: 'command' | 'blocking' | 'lock'): Redis => {
    const redis = connect(url, kind, tellTo(logger, kind))
    stack.defer(() => disconnect(redis))
    return redis
  }
  const own = open(config.own, 'command')
  const locks = redLock([open(config.own, 'lock')], step)
  const log = name === 'order' ? openDesk(own, step) : openFleet(own, step)
  const of = { log, redLock: locks, step, leaseTtlMs: LEASE_TTL_MS, logger }
  const revoke: RunRepair = async (args) => (await log.run('revoke', args))[0]
  const parser = logParser({
    ...of,
    recovery:
      name === 'order' ? openRecovery({ log, saga: desk.saga, table: deskRecovery, own: { revoke } }) : undefined,
    subscribers: log.publishers,
    schedule: '* * * * * *',
    retentionMs: 3_600_000,
  })
  await whenReady(own, shutdown)
  for (const publisher of log.publishers) {
    const [blocking, reporting] = [open(config.peer, 'blocking'), open(config.peer, 'lock')]
    const following = openSubscription({ ...of, publisher, blocking, reporting, onApplied: () => undefined })
    following.start()
    stack.defer(following.stop)
  }
  parser.start()
  stack.defer(parser.stop)
})
