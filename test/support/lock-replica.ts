/** A replica of the lock service in this process, over a Redis of a test, with all that is built on locks. */
import pino from 'pino'
import { openLockService } from '../../ids/lock/lock-service.ts'
import { routesOnLocks } from '../../ids/on-locks.ts'
import { openStore } from '../../ids/store.ts'
import { openFollowing } from '../../shared/log/follow.ts'
import { openStep } from '../../shared/process/step.ts'
import { connect, disconnect, whenReady } from '../../shared/redis/connection.ts'
import type { Bench } from './shop/open-store.ts'
import { openServiceServer } from './shop/service-server.ts'

export type LockReplica = {
  readonly url: string
  /** Ends it, once, however often it is asked to. */
  readonly close: () => Promise<void>
}

export const openLockReplica = async ({ server: redisServer, dependencies }: Bench): Promise<LockReplica> => {
  const logger = pino({ level: 'silent' })
  const blocking = connect(redisServer.url, 'blocking')
  await whenReady(blocking)
  const { log } = openStore(dependencies)
  const { next } = dependencies.identifiers
  const step = openStep('ids')
  const service = openLockService({
    log,
    follow: (listener) => openFollowing({ service: 'ids', blocking, step, logger, ...listener }),
    nextLogId: next,
    logger,
  })
  const server = await openServiceServer({
    service: 'ids',
    routes: [...service.routes, ...routesOnLocks(service, log, next)],
  })
  service.start()
  const end = async (): Promise<void> => {
    await service.stop()
    await server.close()
    disconnect(blocking)
  }
  let ended: Promise<void> | undefined
  return {
    url: `http://127.0.0.1:${server.port}`,
    close: () => {
      ended ??= end()
      return ended
    },
  }
}
