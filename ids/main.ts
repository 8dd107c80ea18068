/** Opens, wires and closes the ids service; the only file of it that sees `process`. */
import process from 'node:process'
import { run } from '../shared/process/lifecycle.ts'
import { openService, peerRedis, serviceSettings } from '../shared/service.ts'
import { routesOf } from './routes.ts'
import { openStore } from './store.ts'

const settings = { ...serviceSettings, ...peerRedis }

await run(process, 'ids', settings, (context) => {
  const { order, payment, stock } = context.config
  return openService(context, {
    service: 'ids',
    prefix: '/ids',
    peers: { order, payment, stock },
    subscribers: [],
    build: (dependencies) => {
      const store = openStore(dependencies)
      return { log: store.log, routes: routesOf(store, dependencies.identifiers), lease: store.lease }
    },
  })
})
