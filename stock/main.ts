/** Opens, wires and closes the stock service; the only file of it that sees `process`. */
import process from 'node:process'
import { peer } from '../shared/http/client.ts'
import { leaseFrom } from '../shared/log/log-id.ts'
import { run } from '../shared/process/lifecycle.ts'
import { openService } from '../shared/service.ts'
import { routesOf } from './routes.ts'
import { settings } from './settings.ts'
import { openStore } from './store.ts'

await run(process, 'stock', settings, (context) => {
  const { order, payment, ids, gatewaySecret } = context.config
  return openService(context, {
    service: 'stock',
    prefix: '/stock',
    peers: { order, payment },
    subscribers: ['payment'],
    build: (dependencies) => {
      const store = openStore(dependencies)
      return {
        log: store.log,
        routes: routesOf(store),
        lease: leaseFrom(peer(context.step, 'ids', ids, gatewaySecret)),
      }
    },
  })
})
