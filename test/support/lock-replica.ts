/** A replica of the lock service in this process, over a Redis of a test, with all that is built on locks. */
import pino from 'pino'
import type { LockLimits } from '../../ids/lock/keys.ts'
import { openLockService } from '../../ids/lock/lock-service.ts'
import { routesOnLocks } from '../../ids/on-locks.ts'
import { openStore } from '../../ids/store.ts'
import { openFollowing } from '../../shared/log/follow.ts'
import { openStep } from '../../shared/process/step.ts'
import { connect, disconnect, whenReady } from '../../shared/redis/connection.ts'
import { openClient, type Reply } from './shop/client.ts'
import { type Bench, openBench } from './shop/open-store.ts'
import { openServiceServer } from './shop/service-server.ts'

export type LockReplica = {
  readonly url: string
  readonly ask: (
    method: string,
    path: string,
    body?: object,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Reply>
  /** Has it serve nobody any more, as if it were about to end. */
  readonly closeServer: () => Promise<void>
  /** Ends it, once, however often it is asked to. */
  readonly close: () => Promise<void>
}

/** @param limits other ones for locks than usual */
export const openLockReplica = async (
  { server: redisServer, dependencies }: Bench,
  limits: Partial<LockLimits> = {},
): Promise<LockReplica> => {
  const logger = pino({ level: 'silent' })
  const blocking = connect(redisServer.url, 'blocking')
  await whenReady(blocking)
  const { log } = openStore(dependencies, limits)
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
  const url = `http://127.0.0.1:${server.port}`
  const client = openClient(url)
  const end = async (): Promise<void> => {
    client.close()
    await service.stop()
    await server.close()
    disconnect(blocking)
  }
  let ended: Promise<void> | undefined
  return {
    url,
    ask: (method, path, body, headers = {}) =>
      client.request(
        method,
        path,
        { ...headers, ...(body ? { 'Content-Type': 'application/json' } : {}) },
        body && JSON.stringify(body),
      ),
    closeServer: server.close,
    close: () => {
      ended ??= end()
      return ended
    },
  }
}

/** One replica and a Redis of its own, which `close` ends. */
export const openSharedLockServer = async () => {
  const bench = await openBench()
  const replica = await openLockReplica(bench)
  return {
    ...replica,
    close: async () => {
      await replica.close()
      await bench[Symbol.asyncDispose]()
    },
  }
}
