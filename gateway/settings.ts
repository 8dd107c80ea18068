/** How is the gateway set, and is that right? */
import { authSettings } from '../shared/process/auth.ts'
import { flag, hostNames, integer, origins, pageOrigins, readConfig, text } from '../shared/process/config.ts'
import { processSettings } from '../shared/process/lifecycle.ts'
import { logRequests } from '../shared/process/request-log.ts'
import { refuseWrong, tokenSettings } from './auth/settings.ts'
import { limitSettings, trustedProxies } from './limits/settings.ts'
import { samplingRate } from './proxy/sampling.ts'

export const settings = {
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

/**
 * For who starts a gateway after much else, and would learn only then that it cannot start.
 * @param environment that of the gateway; where the services are is not known yet
 * @throws ConfigError with everything that is wrong
 */
export const checkEnvironment = (environment: Readonly<Record<string, string | undefined>>): void => {
  const { order, payment, stock, ids, ...known } = settings
  const [config] = readConfig(environment, known, processSettings)
  refuseWrong(config)
}
