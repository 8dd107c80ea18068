/** Opens and closes the gateway; the only file of it that sees `process`. */
import process from 'node:process'
import { openVisitors } from '../shared/http/visitors.ts'
import { metricsFrom } from '../shared/metrics/metrics.ts'
import { authSettings } from '../shared/process/auth.ts'
import { flag, hostNames, integer, origins, pageOrigins, text } from '../shared/process/config.ts'
import { isLoopback } from '../shared/process/exposure.ts'
import { run } from '../shared/process/lifecycle.ts'
import { logRequests } from '../shared/process/request-log.ts'
import { authenticationOf, tokenSettings } from './auth/open.ts'
import { openGateway } from './gateway.ts'
import { limitSettings, limitsFrom, trustedProxies } from './limits/settings.ts'
import { noneSampled, openSampling, samplingRate } from './proxy/sampling.ts'

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
  ...authSettings,
  ...tokenSettings,
  ...limitSettings,
  proxies: trustedProxies,
  metrics: flag('METRICS', true),
  logOneIn: logRequests,
  samplingRate,
}

await run(process, 'gateway', settings, async ({ config, logger, step, crashPoints, tracing, stack }) => {
  const { port, host, timeoutMs, waitMs, drainMs, connectionsMax, connectionsPerAddress, ...others } = config
  const { allowedHosts, allowedOrigins, auth, gatewaySecret, proxies, order, payment, stock, ids } = others
  const authentication = authenticationOf(config, step, logger)
  if (authentication) stack.defer(authentication.stop)
  const gateway = await openGateway({
    port,
    host,
    origins: { order, payment, stock, ids },
    timeoutMs,
    waitMs,
    drainMs,
    connectionsMax,
    connectionsPerAddress,
    authentication,
    gatewaySecret,
    limits: limitsFrom(config, auth === 'jwt' && !isLoopback(host)),
    proxies,
    operatorToken: config.operatorToken,
    metrics: metricsFrom(config.metrics, logger),
    logOneIn: config.logOneIn,
    visitors: openVisitors(host, { hosts: allowedHosts, origins: allowedOrigins }),
    launcher: process.send && {
      tell: (message) => void process.send?.(message),
      onTold: (listener) => {
        process.on('message', listener)
        process.channel?.unref()
      },
    },
    step,
    sample: tracing ? openSampling(tracing, config.samplingRate) : noneSampled,
    crashPoints,
    log: logger,
  })
  stack.defer(gateway.close)
  if (authentication) logger.info({ auth }, 'clients bear tokens, and do what these allow')
  else logger[auth === 'open!' ? 'warn' : 'info']({ auth }, 'clients need not say who they are, and may do everything')
  logger.info({ port: gateway.port }, 'door open')
})
