/** Opens, wires and closes the payment service; the only file of it that sees `process`. */
import process from 'node:process'
import { peer } from '../shared/http/client.ts'
import { leaseFrom } from '../shared/log/log-id.ts'
import { run } from '../shared/process/lifecycle.ts'
import { openService } from '../shared/service.ts'
import { routesOf } from './routes.ts'
import { settings } from './settings.ts'
import { openStore } from './store.ts'

await run(process, 'payment', settings, (context) => {
  const { order, stock, ids, gatewaySecret } = context.config
  return openService(context, {
    service: 'payment',
    prefix: '/payment',
    peers: { order, stock },
    subscribers: ['order', 'stock'],
    build: (dependencies) => {
      const store = openStore(dependencies)
      return {
        log: store.log,
        recovery: store.recovery,
        routes: routesOf(store),
        onApplied: store.onApplied,
        lease: leaseFrom(peer(context.step, 'ids', ids, gatewaySecret)),
      }
    },
  })
})
