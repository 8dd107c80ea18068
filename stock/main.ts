/** Opens, wires and closes the stock service; the only file of it that sees `process`. */
import process from 'node:process'
import { peer } from '../shared/http/client.ts'
import { leaseFrom } from '../shared/log/log-id.ts'
import { origins } from '../shared/process/config.ts'
import { live } from '../shared/process/lifecycle.ts'
import { openService, serviceSettings, siblingRedis } from '../shared/service.ts'
import { routesOf } from './routes.ts'
import { openStore } from './store.ts'

const settings = {
  ...serviceSettings,
  order: siblingRedis.order,
  payment: siblingRedis.payment,
  ids: origins('IDS_URLS'),
}

await live(process, 'stock', settings, (life) => {
  const { order, payment, ids } = life.config
  return openService(life, {
    service: 'stock',
    prefix: '/stock',
    siblings: { order, payment },
    listeners: ['payment'],
    build: (instruments) => {
      const store = openStore(instruments)
      return { log: store.log, routes: routesOf(store), lease: leaseFrom(peer(life.step, 'ids', ids)) }
    },
  })
})
