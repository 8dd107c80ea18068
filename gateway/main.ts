/**
 * Opens the gateway, and closes it.
 *
 * It is stopped by SIGTERM, SIGINT, or the end of the process that started it with an IPC channel; whichever comes, it drains,
 * finishes what is inside and exits with 0. It exits with 1 and one sentence if its configuration is wrong or its port is taken.
 */

import pino from 'pino'
import { ConfigError, integer, origins, readConfig, type Setting, text } from '../shared/config.ts'
import { type Gateway, openGateway } from './gateway.ts'

const logLevel: Setting<string> = {
  variable: 'LOG_LEVEL',
  parse: (level) => {
    if (level !== 'silent' && !(level in pino.levels.values))
      throw new Error(`must be one of ${Object.keys(pino.levels.values).join(', ')}, silent`)
    return level
  },
  fallback: 'info',
}

const SETTINGS = {
  port: integer('PORT', { min: 0, max: 65_535 }, 8_000),
  host: text('HOST', '0.0.0.0'),
  order: origins('ORDER_URLS'),
  payment: origins('PAYMENT_URLS'),
  stock: origins('STOCK_URLS'),
  ids: origins('IDS_URLS'),
  timeoutMs: integer('GATEWAY_TIMEOUT_MS', { min: 1, max: 3_600_000 }, 30_000),
  waitMs: integer('GATEWAY_WAIT_MS', { min: 0, max: 60_000 }, 1_500),
  drainMs: integer('DRAIN_MS', { min: 0, max: 8_000 }, 500),
  logLevel,
}

const main = async (): Promise<void> => {
  const { port, host, timeoutMs, waitMs, drainMs, logLevel, ...services } = readConfig(process.env, SETTINGS)
  const log = pino({ name: 'gateway', level: logLevel })
  const gateway = await openGateway({ port, host, origins: services, timeoutMs, waitMs, drainMs, log })

  let stopping = false
  const stop = (reason: string) => {
    if (stopping) return
    stopping = true
    log.info({ reason }, 'stopping')
    void close(gateway, () => log.info('stopped'))
  }
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => stop(signal))
  process.on('disconnect', () => stop('the parent is gone'))
  process.channel?.unref()

  log.info({ port: gateway.port }, 'ready')
  process.send?.('ready')
}

const close = async (gateway: Gateway, closed: () => void): Promise<void> => {
  await gateway.close()
  closed()
  process.exit(0)
}

const isPortTaken = (error: unknown): error is NodeJS.ErrnoException & { port: number } =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'

try {
  await main()
} catch (error) {
  if (error instanceof ConfigError) process.stderr.write(`gateway: ${error.message}\n`)
  else if (isPortTaken(error)) process.stderr.write(`gateway: port ${error.port} is taken by another program\n`)
  else throw error
  process.exit(1)
}
