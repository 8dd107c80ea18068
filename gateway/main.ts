/** Opens and closes the gateway; the only file of it that sees `process`. */
import process from 'node:process'
import { openVisitors } from '../shared/http/visitors.ts'
import { hostNames, integer, origins, pageOrigins, text } from '../shared/process/config.ts'
import { run } from '../shared/process/lifecycle.ts'
import { openGateway } from './gateway.ts'

const settings = {
  port: integer('PORT', { min: 0, max: 65_535 }, 8_000),
  host: text('HOST', '0.0.0.0'),
  order: origins('ORDER_URLS'),
  payment: origins('PAYMENT_URLS'),
  stock: origins('STOCK_URLS'),
  ids: origins('IDS_URLS'),
  timeoutMs: integer('GATEWAY_TIMEOUT_MS', { min: 1, max: 3_600_000 }, 30_000),
  waitMs: integer('GATEWAY_WAIT_MS', { min: 0, max: 60_000 }, 1_500),
  connectionsMax: integer('GATEWAY_CONNECTIONS_MAX', { min: 1, max: 1_000_000 }, 20_000),
  connectionsPerAddress: integer('GATEWAY_CONNECTIONS_PER_ADDRESS', { min: 1, max: 1_000_000 }, 10_000),
  drainMs: integer('DRAIN_MS', { min: 0, max: 8_000 }, 500),
  allowedHosts: hostNames('ALLOWED_HOSTS'),
  allowedOrigins: pageOrigins('ALLOWED_ORIGINS'),
}

await run(process, 'gateway', settings, async ({ config, logger, step, crashPoints, stack }) => {
  const { port, host, timeoutMs, waitMs, drainMs, connectionsMax, connectionsPerAddress, ...others } = config
  const { allowedHosts, allowedOrigins, ...services } = others
  const gateway = await openGateway({
    port,
    host,
    origins: services,
    timeoutMs,
    waitMs,
    drainMs,
    connectionsMax,
    connectionsPerAddress,
    visitors: openVisitors(host, { hosts: allowedHosts, origins: allowedOrigins }),
    step,
    crashPoints,
    log: logger,
  })
  stack.defer(gateway.close)
  logger.info({ port: gateway.port }, 'door open')
})
