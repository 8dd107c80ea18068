/** Opens and closes the gateway; the only file of it that sees `process`. */
import process from 'node:process'
import { openVisitors } from '../shared/http/visitors.ts'
import { metricsFrom } from '../shared/metrics/metrics.ts'
import { isLoopback } from '../shared/process/exposure.ts'
import { run } from '../shared/process/lifecycle.ts'
import { authenticationOf } from './auth/settings.ts'
import { openGateway } from './gateway.ts'
import { limitsFrom } from './limits/settings.ts'
import { noneSampled, openSampling } from './proxy/sampling.ts'
import { settings } from './settings.ts'

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
  logger.info({ port: gateway.port }, 'open to requests')
})
