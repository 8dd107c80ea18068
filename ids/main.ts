/** Opens, wires and closes the ids service; the only file of it that sees `process`. */
import process from 'node:process'
import { run } from '../shared/process/lifecycle.ts'
import { openService } from '../shared/service.ts'
import { openLockGauges } from './lock/gauges.ts'
import { openLockService } from './lock/lock-service.ts'
import { routesOnLocks } from './on-locks.ts'
import { routesOf } from './routes.ts'
import { settings } from './settings.ts'
import { openStore } from './store.ts'

await run(process, 'ids', settings, (context) => {
  const { order, payment, stock } = context.config
  return openService(context, {
    service: 'ids',
    prefix: '/ids',
    peers: { order, payment, stock },
    subscribers: [],
    build: (dependencies) => {
      const { identifiers, follow, logger, metrics } = dependencies
      const store = openStore(dependencies, { locks_max: context.config.locksMax })
      const locks = openLockService({ log: store.log, follow, nextLogId: identifiers.next, logger })
      openLockGauges(metrics, locks.verbs)
      return {
        log: store.log,
        routes: [
          ...locks.routes,
          ...routesOnLocks(locks, store.log, identifiers.next),
          ...routesOf(store, identifiers),
        ],
        lease: store.lease,
        start: locks.start,
        stop: locks.stop,
      }
    },
  })
})
